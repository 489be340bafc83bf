"""Would the tests notice? Writes one small fault at a time into an exported cell and runs the tests of the notebook that owns it.

    python nbs/mutants/run.py [NOTEBOOK ...]     such as 05_processes; without a name, every list beside this file

A list is `<notebook>.yaml`: rows of `find` (text that stands exactly once in the notebook's exported cells), `put` (what replaces it) and, if need be, `why`.
Everything happens in a scratch copy. The heavy libraries are imported once; each fault has a forked child of its own, which exports the notebook and runs
its cells up to the first that fails. So a fault costs the notebook's own time. Prints the survivors and their number, and keeps the last result of each list in results.json."""
import contextlib, importlib, importlib.util, json, multiprocessing, os, shutil, sys, tempfile, time
from pathlib import Path

import yaml

ROOT, HERE = Path(__file__).resolve().parents[2], Path(__file__).resolve().parent
LIMIT = 600  # seconds for one notebook; a fault that never ends is a fault that was noticed
HEAVY = ("torch", "numpy", "pandas", "matplotlib.pyplot", "IPython", "nbdev.export", "nbdev.test", "nbdev.config", "torch.optim.swa_utils", "torch.nn.attention.varlen",
    "transformers", "transformers.models.bart.modeling_bart", "tokenizers", "datasets", "accelerate", "safetensors.torch", "papermill", "nbformat", "jinja2", "pydantic", "nltk")
FORK = multiprocessing.get_context("fork")  # only a fork shares what the parent has imported

def prepare(scratch):
    "Everything that all children need, once; never textdiff itself, which each child imports from the scratch package."
    os.environ |= {"IN_TEST": "1", "PYTHONPATH": str(scratch), "PYTHONDONTWRITEBYTECODE": "1", "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads do not survive a fork; subprocesses find the package by PYTHONPATH
    for name in HEAVY:
        if importlib.util.find_spec(name.partition(".")[0]): importlib.import_module(name)
    sys.modules["torch"].set_num_threads(1)
    if ours := [m for m in sys.modules if m.partition(".")[0] == "textdiff"]: raise SystemExit(f"{ours[0]} was imported before any fault was written")
    sys.path.insert(0, str(scratch))

def source(cell): return "".join(cell["source"])

def mutate(text, find, put):
    "The notebook's JSON with one exported line changed."
    nb = json.loads(text)
    owners = [c for c in nb["cells"] if c["cell_type"] == "code" and source(c).lstrip().startswith("#| export") for _ in range(source(c).count(find))]
    if len(owners) != 1: raise SystemExit(f"{find!r} stands {len(owners)} times in the exported cells, expected once: mend the list")
    owners[0]["source"] = source(owners[0]).replace(find, put).splitlines(keepends=True)
    return json.dumps(nb)

def tested(scratch, path, answer):
    "In a child: export the notebook into the scratch package, run its tests up to the first that fails, say whether they passed."
    os.chdir(scratch)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        from nbdev.export import nb_export
        from nbdev.test import test_nb
        from nbdev.config import get_config
        nb_export(str(path), lib_path=get_config().lib_path)
        passed, _ = test_nb(path, skip_flags=get_config().tst_flags.split(), basepath=scratch)
    answer.put(bool(passed))

def passes(scratch, path):
    "Do the notebook's tests pass? None if they did not end in time."
    answer = FORK.Queue()
    child = FORK.Process(target=tested, args=(scratch, path, answer))
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
    faulty = [mutate(text, row["find"], row["put"]) for row in rows]  # a row that fits no line is told before the first test runs
    if passes(scratch, path) is not True: raise SystemExit(f"{stem}: the tests fail without any fault")
    shutil.copytree(package, scratch/"sound")
    survivors = []
    for i, (row, changed) in enumerate(zip(rows, faulty, strict=True), 1):
        path.write_text(changed, encoding="utf-8")
        start, alive = time.time(), passes(scratch, path)
        if alive: survivors.append(row)
        print(f"{stem} {i}/{len(rows)} {'SURVIVED' if alive else 'noticed'} {time.time() - start:.0f} s   {row['find'].strip()!r} -> {row['put'].strip()!r}", flush=True)
        shutil.rmtree(package); shutil.copytree(scratch/"sound", package)
    path.write_text(text, encoding="utf-8"); shutil.rmtree(scratch/"sound")
    return survivors

def keep(stem, rows, survivors):
    "Note a list's result beside those of the others."
    path = HERE/"results.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept[stem] = {"faults": len(rows), "survived": [f"{row['find'].strip()} -> {row['put'].strip()}" for row in survivors]}
    path.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

def main(names):
    lines, survived, rows_in_all = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="textdiff-mutants-") as tmp:
        scratch = Path(tmp)
        for name in ("nbs", "textdiff", "runs/reference"): shutil.copytree(ROOT/name, scratch/name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        for name in ("settings.ini", "setup.py", "pyproject.toml", "README.md", ".gitignore"):
            if (ROOT/name).exists(): shutil.copy(ROOT/name, scratch/name)
        (scratch/"data").symlink_to(ROOT/"data")
        prepare(scratch)
        for stem, rows in lists(names).items():
            alive = judge(stem, rows, scratch)
            keep(stem, rows, alive)
            survived, rows_in_all = survived + len(alive), rows_in_all + len(rows)
            lines += [f"{stem}: {len(alive)} of {len(rows)} faults survived", *(f"    {r['find'].strip()!r} -> {r['put'].strip()!r}" for r in alive)]
    lines.append(f"all: {survived} of {rows_in_all} faults survived")
    print("\n" + "\n".join(lines))

if __name__ == "__main__": main(sys.argv[1:])
