"""Kill the kernel, its child and the runner, or press Ctrl-C: is anything lost, half-written, left running?

    python nbs/faults/kills.py [KILLS]     of each kind in each of the two chapters (10; Ctrl-C half of it)

A toy checkout has a chapter that trains and one that samples. Each is run once undisturbed. Then it is ended at random
moments and started again, until it comes through: its metrics, samples and log must be those of the undisturbed run.
Prints what is not so; exit code 1 then."""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import collected

VICTIMS = ("kernel", "child", "runner", "Ctrl-C")        # the last is a signal to the runner, which may tidy up
GRACE, LIMIT = 30, 300              # seconds until a dead run's processes are gone; for one run
EVERY = 20                          # steps between checkpoints
CODES = {"kernel": (1,), "child": (1,), "runner": (-signal.SIGKILL,), "Ctrl-C": (130,)}
STATES = {"kernel": ("failed",), "child": ("failed", "interrupted"), "runner": ("interrupted",),
          "Ctrl-C": ("interrupted",)}

START = "import os, time, torch\nfrom textdiff.lab.run import Run\nrun = Run({name!r})\ntorch.set_num_threads(1)"
TRAINING = """
from textdiff.basics import fingerprint
from textdiff.training import FitConfig, fit
torch.manual_seed(seed)
model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Dropout(0.1), torch.nn.Linear(32, 1))
def batch(i): return torch.randn(16, 8, generator=torch.Generator().manual_seed(i))
def loss(m, x, generator):
    time.sleep(0.02)                                         # five seconds in all: longer than a blow waits
    noise = 0.1 * torch.randn(x.shape, generator=generator)
    return ((m(x + noise)[:, 0] - x.sum(1)) ** 2).mean(), {}
def evaluate(m): return {"val_loss": loss(m, batch(10**6), torch.Generator().manual_seed(1))[0].item()}
config = FitConfig(steps, 1e-2, every=20, save_every=20, seed=seed, ema=0.99)
done = fit(model, loss, batch, config, evaluate=evaluate, folder=run.checkpoints / "model", log=run.log)
judged = [h for h in done.history if "val_loss" in h]
run.record(weights=fingerprint(done.model), ema=fingerprint(done.ema), judged=judged)
run.samples("numbers", [f"{x:.6f}" for x in done.ema(batch(7))[:4, 0].tolist()])
"""
SAMPLING = """
from textdiff.policies import policy_named
from textdiff.processes import Masking, final, sample
from textdiff.schedules import linear, strided
process = Masking(linear(steps), 11, 10)
lines = []
for k in range(40):
    generator = torch.Generator().manual_seed(seed + k)
    def denoise(xt, t):
        time.sleep(0.002)
        return torch.randn(*xt.shape, 11, generator=generator)
    policy = policy_named("confident")
    walk = sample(process, denoise, (2, 12), strided(steps, steps), generator=generator, policy=policy)
    lines += ["".join(map(str, row)) for row in final(walk).xs.tolist()]
    run.log(k, length=len(lines))
run.record(lines=len(lines))
run.samples("rows", lines)
"""

def write_checkout(root):
    import nbformat
    from nbformat import v4
    (root / "nbs" / "toys").mkdir(parents=True)
    (root / "settings.ini").write_text("[DEFAULT]\nlib_name = textdiff\n")
    for name, steps, code in (("01_training", 250, TRAINING), ("02_sampling", 16, SAMPLING)):
        declared = v4.new_code_cell(f"steps: int = {steps}  # 1..\nseed: int = 0", metadata={"tags": ["parameters"]})
        code = [v4.new_code_cell(START.format(name=name)), v4.new_code_cell(code)]
        cells = [v4.new_markdown_cell(f"# {name}\n\n**Question.** Does it last?"), declared, *code]
        nbformat.write(v4.new_notebook(cells=cells), root / "nbs" / "toys" / f"{name}.ipynb")

def start(root, chapter, *more):
    command = [sys.executable, "-m", "textdiff", "run", chapter, *more]
    said = open(root / "said", "wb")
    return subprocess.Popen(command, cwd=root, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)

def processes(root):
    "Who works on this checkout: pid -> parent's pid."
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            stat, around = (place / "stat").read_text().rsplit(")", 1)[1].split(), (place / "environ").read_bytes()
            if stat[0] != "Z" and f"TEXTDIFF_RUN={root}".encode() in around: found[int(place.name)] = int(stat[1])
        except OSError: continue  # it has just ended
    return found

def results(folder): return json.loads((folder / "metrics.json").read_text()), (folder / "metrics.jsonl").read_text()

def differs(folder, wanted):
    "The first that is not as in the undisturbed run, if anything."
    for name, one, other in zip(("metrics.json", "metrics.jsonl"), results(folder), wanted, strict=True):
        if one == other: continue
        lines = [(x if isinstance(x, str) else json.dumps(x, indent=1)).splitlines() for x in (one, other)]
        first = next(((a, b) for a, b in zip(*lines, strict=False) if a != b), tuple(map(len, lines)))
        return f"it came through with another {name}: {first[0]} instead of {first[1]}"

def saved_step(folder):
    "At which step the checkpoint stands, if there is one."
    from textdiff.weights import read_tensors
    found = [*folder.glob("checkpoints/*/last.safetensors")]
    return read_tensors(found[0])[1]["state"]["step"] if found else None

def broken(folder):
    "Files that cannot be read, whatever the moment."
    from textdiff.weights import read_tensors
    bad = []
    for path in (p for p in folder.rglob("*") if not p.name.startswith(".")):
        try:
            if path.suffix in (".json", ".ipynb"): json.loads(path.read_text())
            if path.suffix == ".jsonl": [json.loads(line) for line in path.read_text().splitlines()]
            if path.suffix == ".safetensors": read_tensors(path)
        except Exception as e: bad.append(f"{path.name}: {type(e).__name__}: {e}")
    return bad

def until(condition, seconds):
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end: time.sleep(0.05)
    return found

def run_folder(root, chapter):
    return next((p for p in (root / "runs").glob(f"{chapter}*/[0-9a-f]*") if p.is_dir()), None)

def working(root, chapter):
    "The run's folder, its child and its kernel, once the last cell works."
    folder = run_folder(root, chapter)
    if folder is None: return None
    try: status = json.loads((folder / "status.json").read_text())
    except (OSError, ValueError): return None
    if status.get("status") != "running" or status.get("cell", {}).get("number") != 3: return None
    parent = processes(root).get(status.get("kernel"))
    return parent and (folder, parent, status["kernel"])

def under_way(root, chapter):
    "Has it written a line since its last cell began?  Imports alone may take longer than any blow waits for."
    folder, _, _ = working(root, chapter) or (None, None, None)
    written = lambda: (folder / "metrics.jsonl").stat().st_mtime_ns if (folder / "metrics.jsonl").exists() else 0
    if folder: before = written(); until(lambda: written() != before or not working(root, chapter), LIMIT)

def after(root, folder, runner, victim):
    "What is wrong once a victim has died."
    from textdiff.lab.runner import read_status
    wrong = []
    if not until(lambda: runner.poll() is not None, GRACE): wrong.append("the runner waits for ever"); runner.kill()
    if not until(lambda: not processes(root), GRACE): wrong.append(f"{len(processes(root))} processes go on")
    if runner.returncode == 0: return wrong                           # it was through before the blow fell
    if runner.returncode not in CODES[victim]: wrong.append(f"the runner ended with {runner.returncode}")
    if (state := read_status(folder)["status"]) not in STATES[victim]: wrong.append(f"the status says {state}")
    if victim == "Ctrl-C" and b"Traceback" in (root / "said").read_bytes(): wrong.append("a traceback is printed")
    return [f"{victim}: {w}" for w in [*wrong, *broken(folder)]]

def torment(root, chapter, kills):
    "Kill a run until each victim has died `kills` times; yields what is wrong, at last how often it came through."
    dice, left, finished, moved = random.Random(int(chapter)), dict.fromkeys(VICTIMS, kills), 0, 0
    left["Ctrl-C"] = (kills + 1) // 2
    if code := start(root, chapter).wait(LIMIT): yield f"undisturbed it ended with {code}"; return
    folder, fresh = run_folder(root, chapter), ["--fresh"]
    wanted = results(folder)
    for _ in range(8 * kills * len(VICTIMS)):
        if not any(left.values()): break
        before = None if fresh else saved_step(folder)
        runner, fresh = start(root, chapter, *fresh), []
        victim = dice.choice([v for v in VICTIMS if left[v]])
        until(lambda run=runner: working(root, chapter) or run.poll() is not None, LIMIT)
        if left[victim] % 2: under_way(root, chapter)                 # each other blow falls on work, not on imports
        time.sleep(dice.uniform(0, 3))
        if found := working(root, chapter):
            pid = {"child": found[1], "kernel": found[2]}.get(victim, runner.pid)
            try: os.kill(pid, signal.SIGINT if victim == "Ctrl-C" else signal.SIGKILL)
            except ProcessLookupError: pass
            yield from after(root, folder, runner, victim)
            if runner.returncode != 0: left[victim] -= 1
            at = saved_step(folder)
            moved += victim == "Ctrl-C" and at is not None and at != before and at % EVERY != 0
        else: runner.wait(LIMIT)
        if json.loads((folder / "status.json").read_text())["status"] == "ok":
            finished, fresh = finished + 1, ["--fresh"]
            yield from filter(None, [differs(folder, wanted)])
    if any(left.values()): yield f"these were not killed often enough: {left}"
    if not fresh:
        if code := start(root, chapter).wait(LIMIT): yield f"at last it ended with {code}"
        yield from filter(None, [differs(folder, wanted)])
    if chapter == "01" and kills >= 5 and not moved: yield "Ctrl-C: nothing was ever saved between two checkpoints"
    stray = [p.name for p in [*folder.rglob(".*"), *folder.parent.glob(".*.before")]]
    if stray: yield f"left behind: {stray[:3]}"
    yield finished + (not fresh)

def share(roots, kills, number, answers):
    chapter, root = list(roots.items())[number]
    try:
        for said in torment(root, chapter, kills): answers.put((chapter, said))
    except Exception as e: answers.put((chapter, f"the test itself failed: {type(e).__name__}: {e}"))
    answers.put(None)

def main(kills=10):
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    signal.signal(signal.SIGINT, signal.default_int_handler)          # a shell's `&` has it ignored, here and below
    bad = 0
    with tempfile.TemporaryDirectory(prefix="textdiff-kills-", ignore_cleanup_errors=True) as d:
        roots = {chapter: Path(d).resolve() / chapter for chapter in ("01", "02")}   # a checkout each
        for root in roots.values(): write_checkout(root)
        for chapter, said in collected(share, roots, kills):
            well = isinstance(said, int)
            print(f"{chapter}: {kills} each of {', '.join(VICTIMS)} (half of it); it came through {said} times" if well
                  else f"{chapter}: WRONG: {said}", flush=True)
            bad += not isinstance(said, int)
    return int(bad > 0)

if __name__ == "__main__": sys.exit(main(*map(int, sys.argv[1:2])))
