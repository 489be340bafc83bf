"""Would the tests notice? Writes one small fault at a time into an exported cell and runs the tests of the notebook that owns it.

    python nbs/mutants/run.py [NOTEBOOK ...]     such as 05_processes; without a name, every list beside this file

A list is `<notebook>.yaml`: rows of `find` (text that stands exactly once in the notebook's exported cells), `put` (what replaces it) and, if need be, `why`.
Everything happens in a scratch copy. Prints the survivors; the last full result is kept in survivors.txt."""
import contextlib, json, multiprocessing, os, shutil, sys, tempfile, time
from pathlib import Path

import yaml

ROOT, HERE = Path(__file__).resolve().parents[2], Path(__file__).resolve().parent
LIMIT = 600  # seconds for one notebook; a fault that never ends is a fault that was noticed

def source(cell): return "".join(cell["source"])

def mutate(text, find, put):
    "The notebook's JSON with one exported line changed."
    nb = json.loads(text)
    owners = [c for c in nb["cells"] if c["cell_type"] == "code" and source(c).lstrip().startswith("#| export") for _ in range(source(c).count(find))]
    if len(owners) != 1: raise SystemExit(f"{find!r} stands {len(owners)} times in the exported cells, expected once: mend the list")
    owners[0]["source"] = source(owners[0]).replace(find, put).splitlines(keepends=True)
    return json.dumps(nb)

def tested(scratch, path, answer):
    "In a child: export the notebook into the scratch package, run its tests, say whether they passed."
    os.chdir(scratch)
    sys.path.insert(0, str(scratch))
    os.environ |= {"IN_TEST": "1", "PYTHONPATH": str(scratch), "PYTHONDONTWRITEBYTECODE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        from nbdev.export import nb_export
        from nbdev.test import test_nb
        from nbdev.config import get_config
        import torch
        torch.set_num_threads(1)
        nb_export(str(path), lib_path=get_config().lib_path)
        passed, _ = test_nb(path, skip_flags=get_config().tst_flags.split(), basepath=scratch)
    answer.put(bool(passed))

def passes(scratch, path):
    "Do the notebook's tests pass? None if they did not end in time."
    answer = multiprocessing.Queue()
    child = multiprocessing.Process(target=tested, args=(scratch, path, answer))
    child.start(); child.join(LIMIT)
    if child.is_alive(): child.kill(); child.join(); return None
    return answer.get() if not answer.empty() else False

def lists(names):
    "Notebook stem -> rows, for the lists asked for."
    found = {p.stem: yaml.safe_load(p.read_text(encoding="utf-8")) for p in sorted(HERE.glob("*.yaml"))}
    return {k: v for k, v in found.items() if not names or k in names or k.partition("_")[0] in names or k.partition("_")[2] in names}

def judge(stem, rows, scratch):
    "The rows whose fault went unnoticed."
    path = next((scratch/"nbs").rglob(f"{stem}.ipynb"))
    text, package = path.read_text(encoding="utf-8"), scratch/"textdiff"
    if passes(scratch, path) is not True: raise SystemExit(f"{stem}: the tests fail without any fault")
    shutil.copytree(package, scratch/"sound")
    survivors = []
    for i, row in enumerate(rows, 1):
        path.write_text(mutate(text, row["find"], row["put"]), encoding="utf-8")
        start, alive = time.time(), passes(scratch, path)
        if alive: survivors.append(row)
        print(f"{stem} {i}/{len(rows)} {'SURVIVED' if alive else 'noticed'} {time.time() - start:.0f} s   {row['find'].strip()!r} -> {row['put'].strip()!r}", flush=True)
        shutil.rmtree(package); shutil.copytree(scratch/"sound", package)
    path.write_text(text, encoding="utf-8"); shutil.rmtree(scratch/"sound")
    return survivors

def main(names):
    lines = []
    with tempfile.TemporaryDirectory(prefix="textdiff-mutants-") as tmp:
        scratch = Path(tmp)
        for name in ("nbs", "textdiff", "runs/reference"): shutil.copytree(ROOT/name, scratch/name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        for name in ("settings.ini", "setup.py", "pyproject.toml", "README.md", ".gitignore"):
            if (ROOT/name).exists(): shutil.copy(ROOT/name, scratch/name)
        (scratch/"data").symlink_to(ROOT/"data")
        for stem, rows in lists(names).items():
            alive = judge(stem, rows, scratch)
            lines += [f"{stem}: {len(alive)} of {len(rows)} faults survived", *(f"    {r['find'].strip()!r} -> {r['put'].strip()!r}" for r in alive)]
    print("\n" + "\n".join(lines))
    if not names: (HERE/"survivors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

if __name__ == "__main__": main(sys.argv[1:])
