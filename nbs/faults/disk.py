"""A disk that is full: in the middle of a run, with a few kilobytes left, and before one.

    python nbs/faults/disk.py

The runs of a toy checkout lie on a small disk in memory, which takes the right to mount one; without it this says so
and ends well. Each command must end with a sentence and no traceback, no run may go on to say that it is running, and
one chapter's trouble must not end the others."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SIZE = 400_000  # bytes of the disk
FILL = """
from textdiff.lab.run import Run
run = Run({name!r})
print("x" * 3_000)
run.record(before=1)
def fill(left):
    with open(run.folder / "filler", "wb", buffering=0) as file:
        try:
            while True: file.write(b"x" * 4096)
        except OSError: pass
        file.truncate(max(0, file.tell() - left))
"""
CHAPTERS = {"01_full": "fill(0)\nrun.record(after='y' * 20_000)", "02_nearly": "fill(40_000)\nrun.record(after=1)",
            "03_neighbour": "run.record(after=1)"}

def write_checkout(root):
    import nbformat
    from nbformat import v4
    (root / "nbs" / "toys").mkdir(parents=True)
    (root / "settings.ini").write_text("[DEFAULT]\nlib_name = textdiff\n")
    for name, code in CHAPTERS.items():
        declared = v4.new_code_cell("seed: int = 0", metadata={"tags": ["parameters"]})
        code = [v4.new_code_cell(c) for c in (FILL.format(name=name), code, "# " + "long " * 8_000)]
        cells = [v4.new_markdown_cell(f"# {name}"), declared, *code]
        nbformat.write(v4.new_notebook(cells=cells), root / "nbs" / "toys" / f"{name}.ipynb")

def textdiff(root, *words):
    "Exit code and what is said; a traceback on standard error, or silence after a failure, is what must not be."
    command = [sys.executable, "-m", "textdiff", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    said = (done.stderr or done.stdout).strip().splitlines()
    print(f"{' '.join(words)}: {done.returncode}; {said[-1][:200] if said else 'nothing'}", flush=True)
    wrong = [f"{' '.join(words)}: a traceback, {done.stderr[-300:]}"] if "Traceback" in done.stderr else []
    if done.returncode and not said: wrong.append(f"{' '.join(words)}: not a word")
    return done.returncode, wrong

def states(root):
    "Run's folder -> its status, as everybody reads it."
    from textdiff.lab.runner import read_status
    found = [p.parent for p in (root / "runs").glob("*/*/status.json")]
    return {p.parent.name + p.name: read_status(p)["status"] for p in found}

def attacks(root, runs):
    "Yields what is wrong."
    def clear(): [path.unlink() for path in runs.rglob("filler")]
    code, wrong = textdiff(root, "run", "01")
    yield from wrong
    if code == 0: yield "01: all is well, on a full disk"
    if "running" in states(root).values(): yield "01: said to be running for ever"
    clear()
    code, wrong = textdiff(root, "run", "02")        # what is left is enough, or it is said to be too little
    yield from wrong
    if code not in (0, 1, 2) or "running" in states(root).values(): yield f"02: ended with {code}, {states(root)}"
    clear()
    shutil.rmtree(runs / "01_full")
    (runs / "01_full").write_text("a file where a folder should be")
    code, wrong = textdiff(root, "run", "all")
    yield from wrong
    neighbours = [v for k, v in states(root).items() if k.startswith("03")]
    if code == 0 or neighbours != ["ok"]: yield "one chapter's error ended the others"
    clear()
    kept = next((runs / "03_neighbour").glob("[0-9a-f]*"))
    with open(runs / "filler", "wb", buffering=0) as file:
        try:
            while True: file.write(b"x" * 512)
        except OSError: pass
    for words in (("run", "03", "-p", "seed=7"), ("report",), ("reference", f"runs/03_neighbour/{kept.name}")):
        code, wrong = textdiff(root, *words)
        yield from wrong
        if code == 0: yield f"{words[0]}: all is well, on a full disk"
    if states(root)[f"03_neighbour{kept.name}"] != "ok": yield "a finished run was lost"

def main():
    os.environ |= {"OMP_NUM_THREADS": "1"}
    wrong = []
    with tempfile.TemporaryDirectory(prefix="textdiff-disk-") as d:
        root = Path(d).resolve() / "lab"
        write_checkout(root)
        (runs := root / "runs").mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(runs)]
        if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
            print("no disk can be mounted here: nothing was filled")
            return 0
        try: wrong += attacks(root, runs)
        finally: subprocess.run(["umount", "-l", str(runs)], check=False)
    for line in wrong: print("    WRONG:", line)
    return int(bool(wrong))

if __name__ == "__main__": sys.exit(main())
