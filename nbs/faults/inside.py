"""Is what a chapter declares true? Runs the cheapest form of each, with other values drawn inside what is declared.

    python nbs/faults/inside.py [CHAPTER ...]     such as 21 30

Every run ends well, or refuses in one sentence and leaves nothing behind. Prints what does neither; exit code 1 then."""
import random, re, sys, tempfile
from pathlib import Path

import yaml
from table import FORK, HERE, JOBS, ask, checkout, prepare

FREE = ("seed", "seeds", "lr", "level_max", "row_std", "mask_rate", "whole", "temperature", "temperatures", "evaluation_share", "exam", "twin_steps", "learn_steps")

def drawn(chapter, given, dice):
    "name=value for what costs nothing to change: an end of its range, or something between."
    from textdiff.lab.chapters import declared_range
    for p in chapter.parameters:
        if p.name not in FREE or p.name in given or "bool" in p.type: continue
        low, high, above, _ = declared_range(p.help) or (0, 2**32 - 1, False, "")
        if "int" in p.type: value = dice.choice([int(low), int(min(high, low + 3)), 2**32 - 1 if p.name.startswith("seed") and p.type != "int" else int(low) + 1])
        else: value = dice.choice([low + 1e-6 if above else low, min(high, 1e6), dice.uniform(low, min(high, 10))])
        if p.name == "seed": value = dice.choice([0, 3, 2**32 - 1])
        if p.name in ("seeds", "exam", "twin_steps", "learn_steps") and p.type == "int": value = min(value, int(low) + 1)
        yield f"{p.name}={value}"

def share(names, number, answers):
    from textdiff.lab.chapters import chapters, find_chapter
    with tempfile.TemporaryDirectory(prefix="textdiff-inside-") as d:
        root = checkout(Path(d) / "checkout")
        among, cheapest = chapters(root), yaml.safe_load((HERE / "cheapest.yaml").read_text(encoding="utf-8"))
        for key in names[number::JOBS]:
            sets = [*drawn(find_chapter(key, among), cheapest[key], random.Random(int(key)))]
            command = f"run {key} --profile nbs/faults/cheapest.yaml " + " ".join(f"-p {s}" for s in sets)
            code, out, err = ask(command, root)
            failed = code not in (0, 2) or code == 2 and err.count("\n") != 1
            answers.put((command, code, (err or out[-1500:] if failed else err).strip(), failed))
    answers.put(None)

def main(*names):
    prepare()
    names = names or tuple(yaml.safe_load((HERE / "cheapest.yaml").read_text(encoding="utf-8")))
    answers, ended, bad, refused = FORK.Queue(), 0, 0, 0
    for worker in [FORK.Process(target=share, args=(names, k, answers)) for k in range(JOBS)]: worker.start()
    while ended < JOBS:
        if (answer := answers.get()) is None: ended += 1; continue
        command, code, said, failed = answer
        bad, refused = bad + failed, refused + (code == 2)
        print(f"{command}: ended with {code}" + (f"\n{re.sub('(?m)^', '    ', said)}" if said and (failed or code == 2) else ""), flush=True)
    print(f"{len(names)} chapters at the edge of what they declare: {refused} refused in a sentence, {bad} failed")
    return int(bad > 0)

if __name__ == "__main__": sys.exit(main(*sys.argv[1:]))
