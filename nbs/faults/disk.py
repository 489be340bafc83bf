"""A disk that is full: before a run, in the middle of it, and with a few kilobytes left when it settles.

    python nbs/faults/disk.py

The runs of a toy checkout lie on a small disk in memory, which takes the right to mount one; without it this says so and ends well.
Each command must end with a sentence and no traceback, no run may go on to say that it is running, and its neighbour must come through."""
import os, shutil, subprocess, sys, tempfile
from pathlib import Path

SIZE = 400_000  # bytes of the disk
FILL = """
import os
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
CHAPTERS = {"01_full": "fill(0)\nrun.record(after='y' * 20_000)", "02_nearly": "fill(40_000)\nrun.record(after=1)", "03_neighbour": "run.record(after=1)"}

def write_checkout(root):
    import nbformat
    from nbformat import v4
    (root / "nbs" / "toys").mkdir(parents=True)
    (root / "settings.ini").write_text("[DEFAULT]\nlib_name = textdiff\n")
    for name, code in CHAPTERS.items():
        declared = v4.new_code_cell("seed: int = 0", metadata={"tags": ["parameters"]})
        cells = [v4.new_markdown_cell(f"# {name}"), declared, v4.new_code_cell(FILL.format(name=name)), v4.new_code_cell(code), v4.new_code_cell("# " + "long " * 8_000)]
        nbformat.write(v4.new_notebook(cells=cells), root / "nbs" / "toys" / f"{name}.ipynb")

def run(root, *words):
    done = subprocess.run([sys.executable, "-m", "textdiff.lab.board", "run", *words], cwd=root, capture_output=True, text=True, timeout=180)
    return done.returncode, done.stdout, done.stderr

def states(root): # of the runs that are there
    from textdiff.lab.runner import read_status
    found = {}
    for path in (root / "runs").glob("*/*/status.json"):
        found[path.parent.parent.name] = read_status(path.parent)["status"]
    return found

def main():
    os.environ |= {"OMP_NUM_THREADS": "1"}
    wrong = []
    with tempfile.TemporaryDirectory(prefix="textdiff-disk-") as d:
        root = Path(d).resolve() / "lab"
        write_checkout(root)
        runs = root / "runs"
        runs.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(runs)], capture_output=True, check=False) if hasattr(os, "geteuid") else None
        if mounted is None or mounted.returncode: print("no disk can be mounted here: nothing was filled"); return 0
        try:
            def clear():
                for path in runs.rglob("filler"): path.unlink()
            for name in ("01", "02"):
                code, out, err = run(root, name)
                print(f"{name}: {code}; {states(root)}; {(err or out).strip().splitlines()[-1][:200]}")
                if code == 0 and name == "01": wrong.append(f"{name}: all is well, on a full disk")
                if any("Traceback" in text and "OSError" not in text for text in (out, err)) or "Traceback" in err: wrong.append(f"{name}: a traceback: {err[-400:]}")
                if "running" in states(root).values(): wrong.append(f"{name}: still said to be running")
                clear()
            shutil.rmtree(runs / "01_full")
            (runs / "01_full").write_text("a file where a folder should be")
            code, out, err = run(root, "all")
            print(f"all, one of them impossible: {code}; {states(root)}; {err.strip()[-200:]}")
            if code == 0 or states(root).get("03_neighbour") != "ok": wrong.append("one chapter's error ended the others")
            if "Traceback" in err: wrong.append(f"all: a traceback: {err[-400:]}")
            if "running" in states(root).values(): wrong.append("all: still said to be running")
            clear()
            (runs / "filler").write_bytes(b"")
            with open(runs / "filler", "wb", buffering=0) as file:
                try:
                    while True: file.write(b"x" * 512)
                except OSError: pass
            for words in (("run", "03", "-p", "seed=7"), ("report",), ("reference", "runs/03_neighbour/x")):
                done = subprocess.run([sys.executable, "-m", "textdiff.lab.board", *words], cwd=root, capture_output=True, text=True, timeout=180)
                print(f"{' '.join(words)} on a full disk: {done.returncode}; {done.stderr.strip()[-200:]}")
                if done.returncode == 0 or "Traceback" in done.stderr or not done.stderr.strip(): wrong.append(f"{words}: {done.returncode}, {done.stderr[-400:]}")
            if "running" in states(root).values(): wrong.append("a run that never began is said to be running")
        finally: subprocess.run(["umount", "-l", str(runs)], check=False)
    for line in wrong: print("    WRONG:", line)
    return int(bool(wrong))

if __name__ == "__main__": sys.exit(main())
