"""Is what a chapter declares true? Runs the cheapest form of each, with other values drawn inside what is declared.

    python nbs/faults/inside.py [CHAPTER ...]     such as 21 30

Every run must end well. Prints what does not; exit code 1 then."""
import random
import sys
import tempfile
from pathlib import Path

import yaml
from table import HERE, JOBS, ask, checkout, collected, prepare

# what costs nothing to change: seeds and rates, not sizes
FREE = ("seed", "seeds", "lr", "level_max", "row_std", "mask_rate", "whole", "temperature", "temperatures")
SEEDS = (0, 3, 2**32 - 1)

def drawn(chapter, given, dice):
    "name=value: an end of the range of each free parameter, or something between."
    from textdiff.lab.chapters import declared_range
    for p in chapter.parameters:
        if p.name not in FREE or p.name in given: continue
        if p.name == "seed" or p.type == "list[int]": yield f"{p.name}={dice.choice(SEEDS)}"
        elif "float" in p.type:
            low, high, above, _ = declared_range(p.help)
            ends = [low + 1e-6 if above else low, min(high, 1e6), dice.uniform(low, min(high, 10))]
            yield f"{p.name}={dice.choice(ends)}"
        else: yield f"{p.name}={int(declared_range(p.help)[0])}"      # a number of seeds

def cheapest(): return yaml.safe_load((HERE / "cheapest.yaml").read_text(encoding="utf-8"))

def share(names, number, answers):
    from textdiff.lab.chapters import chapters, find_chapter
    try:
        with tempfile.TemporaryDirectory(prefix="textdiff-inside-") as d:
            root, values = checkout(Path(d) / "checkout"), cheapest()
            among = chapters(root)
            for key in names[number::JOBS]:
                sets = drawn(find_chapter(key, among), values[key], random.Random(int(key)))
                command = f"run {key} --profile nbs/faults/cheapest.yaml " + " ".join(f"-p {s}" for s in sets)
                answers.put((command, *ask(command, root)))
    except Exception as e: answers.put(("the test itself", None, "", f"{type(e).__name__}: {e}"))
    answers.put(None)

def main(*names):
    prepare()
    from textdiff.lab.chapters import chapters
    names = names or tuple(cheapest())
    absent = [c.name for c in chapters() if c.runnable and f"{c.number:02}" not in cheapest()]
    if absent: raise SystemExit(f"cheapest.yaml does not know {absent[0]}")
    count = bad = 0
    for command, code, out, err in collected(share, names):
        count, bad = count + 1, bad + (code != "0")
        print(f"{command}: ended with {code}" + ("" if code == "0" else f"\n{out[-1500:]}{err}"), flush=True)
    print(f"{count} chapters at the edge of what they declare, {bad} failed")
    return int(bad > 0 or count != len(names))

if __name__ == "__main__": sys.exit(main(*sys.argv[1:]))
