"""Kill the kernel, its child and the runner, or press Ctrl-C, twenty times each, in a training and in a sampling: is anything lost, half-written, left running?

    python nbs/faults/kills.py [KILLS]     of each kind in each of the two chapters; 10 without a number

A toy checkout has both chapters. Each is run once undisturbed. Then it is killed at random moments and started again,
until it comes through: its metrics, samples and log must be those of the undisturbed run. Exit code 1 if not."""
import json, multiprocessing, os, random, signal, subprocess, sys, tempfile, time
from pathlib import Path

VICTIMS = ("kernel", "child", "runner", "Ctrl-C")  # the last is a signal to the runner, which may tidy up
GRACE, LIMIT, EVERY = 20, 180, 20  # seconds until a dead run's processes must be gone; for one run; steps between checkpoints of the training

START = "import os, time, torch\nfrom textdiff.lab.run import Run\nrun = Run({name!r})\ntorch.set_num_threads(1)"
TRAINING = """
from textdiff.basics import fingerprint
from textdiff.training import FitConfig, fit
torch.manual_seed(seed)
model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Dropout(0.1), torch.nn.Linear(32, 1))
def batch(i):
    time.sleep(0.01)
    return torch.randn(16, 8, generator=torch.Generator().manual_seed(i))
def loss(m, x, generator):
    noise = 0.1 * torch.randn(x.shape, generator=generator)
    return ((m(x + noise)[:, 0] - x.sum(1)) ** 2).mean(), {}
def evaluate(m): return {"val_loss": loss(m.eval(), batch(10**6), torch.Generator().manual_seed(1))[0].item()}
done = fit(model, loss, batch, FitConfig(steps, 1e-2, every=20, save_every=20, seed=seed, ema=0.99), evaluate=evaluate,
           folder=run.checkpoints / "model", log=run.log)
run.record(weights=fingerprint(done.model), ema=fingerprint(done.ema), best=[h for h in done.history if "val_loss" in h])
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
    walk = sample(process, denoise, (2, 12), strided(steps, steps), generator=generator, policy=policy_named("confident"))
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
    for name, steps, code in (("01_training", 500, TRAINING), ("02_sampling", 16, SAMPLING)):
        declared = v4.new_code_cell(f"steps: int = {steps}  # 1..\nseed: int = 0", metadata={"tags": ["parameters"]})
        cells = [v4.new_markdown_cell(f"# {name}\n\n**Question.** Does it last?"), declared, v4.new_code_cell(START.format(name=name)), v4.new_code_cell(code)]
        nbformat.write(v4.new_notebook(cells=cells), root / "nbs" / "toys" / f"{name}.ipynb")

def start(root, chapter, *more):
    command = [sys.executable, "-m", "textdiff.lab.board", "run", chapter, *more]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

def processes(root):
    "Who works on this checkout: pid -> parent's pid."
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            stat, around = (place / "stat").read_text().rsplit(")", 1)[1].split(), (place / "environ").read_bytes()
            if stat[0] != "Z" and f"TEXTDIFF_RUN={root}".encode() in around: found[int(place.name)] = int(stat[1])
        except OSError: continue  # it has just ended
    return found

def results(folder):
    told = json.loads((folder / "metrics.json").read_text())
    return told, (folder / "metrics.jsonl").read_text()

def differs(folder, wanted):
    "The first that is not as in the undisturbed run, if anything."
    for name, one, other in zip(("metrics.json", "metrics.jsonl"), results(folder), wanted):
        if one == other: continue
        lines = [text.splitlines() if isinstance(text, str) else json.dumps(text, indent=1).splitlines() for text in (one, other)]
        first = next(((a, b) for a, b in zip(*lines) if a != b), tuple(map(len, lines)))
        return f"it came through with another {name}: {first[0]} instead of {first[1]}"

def saved_step(folder):
    "At which step the checkpoint stands, if there is one."
    from textdiff.weights import read_tensors
    found = [*folder.glob("checkpoints/*/last.safetensors")]
    return read_tensors(found[0])[1]["state"]["step"] if found else None

def whole(folder):
    "Names of files that cannot be read."
    from textdiff.weights import read_tensors
    bad = []
    for path in folder.rglob("*"):
        try:
            if path.suffix == ".json": json.loads(path.read_text())
            if path.suffix == ".safetensors" and not path.name.startswith("."): read_tensors(path)
        except Exception as e: bad.append(f"{path.name}: {type(e).__name__}: {e}")
    return bad

def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end: time.sleep(0.05)
    return condition()

def run_folder(root, chapter):
    found = [p for p in (root / "runs").glob(f"{chapter}*/[0-9a-f]*") if p.is_dir()]
    return found[0] if found else None

def working(root, chapter):
    "The run's folder, its child and its kernel, once the last cell works."
    folder = run_folder(root, chapter)
    if folder is None: return None
    try: status = json.loads((folder / "status.json").read_text())
    except (OSError, ValueError): return None
    if status.get("status") != "running" or status.get("cell", {}).get("number") != 3: return None
    parent = processes(root).get(status.get("kernel"))
    return parent and (folder, parent, status["kernel"])

def torment(root, chapter, kills, answers):
    "Kill a chapter's run until each victim has died `kills` times; send what is wrong."
    wrong, dice, left, finished = [], random.Random(int(chapter)), {v: kills for v in VICTIMS}, 0
    steps = {v: [] for v in VICTIMS}
    runner = start(root, chapter)
    if runner.wait(LIMIT): answers.put((chapter, [f"undisturbed it ended with {runner.returncode}"], 0)); return
    folder = run_folder(root, chapter)
    wanted = results(folder)
    fresh = ["--fresh"]
    while any(left.values()):
        runner = start(root, chapter, *fresh)
        fresh = []
        victim = dice.choice([v for v in VICTIMS if left[v]])
        if not until(lambda: working(root, chapter) or runner.poll() is not None, LIMIT):
            wrong.append("it never came to its last cell"); break
        time.sleep(dice.uniform(0, 3))
        if found := working(root, chapter):
            pid = {"child": found[1], "kernel": found[2]}.get(victim, runner.pid)
            try: os.kill(pid, signal.SIGINT if victim == "Ctrl-C" else signal.SIGKILL)
            except ProcessLookupError: continue
            left[victim] -= 1
            if not until(lambda: not processes(root), GRACE): wrong.append(f"{victim} killed: {len(processes(root))} processes go on after {GRACE} s")
            if not until(lambda: runner.poll() is not None, GRACE): wrong.append(f"{victim} killed: the runner waits for ever")
            if runner.returncode == 0: left[victim] += 1                 # it was through: too late to count
            elif victim == "Ctrl-C" and runner.returncode != 130: wrong.append(f"Ctrl-C: the runner ended with {runner.returncode}")
            wrong += [f"{victim} killed: {name}" for name in whole(folder)]
            if (at := saved_step(folder)) is not None: steps[victim].append(at)
        else: runner.wait(LIMIT)
        status = json.loads((folder / "status.json").read_text())["status"]
        if status == "ok":
            finished, fresh = finished + 1, ["--fresh"]
            wrong += filter(None, [differs(folder, wanted)])
    if not fresh:
        code = start(root, chapter).wait(LIMIT)
        finished += 1
        wrong += [f"at last it ended with {code}"] if code else filter(None, [differs(folder, wanted)])
    stray = [p.name for p in folder.rglob(".*") if p.is_file()]
    if stray: wrong.append(f"left behind: {stray[:3]}")
    if steps["Ctrl-C"] and all(step % EVERY == 0 for step in steps["Ctrl-C"]):  # by chance: 1 in 20 each
        wrong.append(f"Ctrl-C: nothing was saved between two checkpoints, at steps {steps['Ctrl-C']}")
    answers.put((chapter, wrong, finished))

def main(kills=10):
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    answers, bad = multiprocessing.Queue(), 0
    with tempfile.TemporaryDirectory(prefix="textdiff-kills-") as d:
        roots = {chapter: Path(d).resolve() / chapter for chapter in ("01", "02")}  # a checkout each: nobody's process is another's
        for root in roots.values(): write_checkout(root)
        workers = [multiprocessing.Process(target=torment, args=(root, chapter, kills, answers)) for chapter, root in roots.items()]
        for w in workers: w.start()
        for _ in workers:
            chapter, wrong, finished = answers.get()
            print(f"{chapter}: {kills} kills of each of {', '.join(VICTIMS)}; {finished} times it came through", flush=True)
            for line in wrong: print("    WRONG:", line)
            bad += len(wrong)
        for w in workers: w.join()
    return int(bad > 0)

if __name__ == "__main__": sys.exit(main(*map(int, sys.argv[1:2])))
