"""A report on a text that wants to be a program, opened in a real browser.

    python nbs/faults/browser.py

Writes a run whose every name, number and sample is markup, builds the report, and opens it in Chromium without a
window. Nothing of it may run, be fetched, be a link that runs, or stand outside the page; and the page's own filter
must work. Where there is no Chromium it says so and ends well."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TAKEN = "document.documentElement.setAttribute('data-taken','yes')"
HOSTILE = [
    f"<script>{TAKEN}</script>", f"</pre></script><script>{TAKEN}</script>", f"<img src=x onerror=\"{TAKEN}\">",
    f"\"><svg onload=\"{TAKEN}\">", f"<a href=\"javascript:{TAKEN}\">here</a>", "{{ 7 * 7 }}", "{% raw %}", "<!--", "]]>",
    "<iframe src='http://127.0.0.1:9/'></iframe>", "<style>body{display:none}</style>",
    "<base href='http://127.0.0.1:9/'>",
    "\u202egnirts", "\x00\x1b[31m", "x" * 20_000,
]
# asked at the end, after everything has run: what the page is like, and what its filter by verdict leaves
ASK = """<script>addEventListener('load', () => {
  const wide = document.documentElement.scrollWidth, all = [...document.querySelectorAll('.board')[0].tBodies[0].rows];
  const by = document.querySelector('select[data-by=verdict]'), shown = () => all.filter(r => !r.hidden).length;
  const before = shown(); by.value = 'open'; by.dispatchEvent(new Event('change')); const open = shown();
  document.documentElement.setAttribute('data-seen', JSON.stringify({wide, view: innerWidth, before, open,
    display: getComputedStyle(document.body).display, base: document.baseURI.startsWith('file:'),
    strange: document.querySelectorAll('iframe,object,embed,svg,base,a[href^="javascript:"]').length,
    scripts: document.scripts.length, fetched: performance.getEntriesByType('resource').length})) })</script>"""

def write_runs(root):
    "A hostile run, whose claim is open, and a peaceful one of the same chapter, whose claim is better."
    import nbformat
    from matplotlib.figure import Figure
    from nbformat import v4
    from textdiff.basics import write_atomic
    from textdiff.lab.journal import CLAIMS
    from textdiff.lab.run import Run, at_least, write_json
    (root / "nbs" / "toys").mkdir(parents=True)
    (root / "settings.ini").write_text("[DEFAULT]\nlib_name = textdiff\n")
    declared = v4.new_code_cell("text: str = 'a'", metadata={"tags": ["parameters"]})
    prose = v4.new_markdown_cell(f"# Hostile {HOSTILE[2]}\n\n**Question.** {HOSTILE[0]} {HOSTILE[2]}")
    nbformat.write(v4.new_notebook(cells=[prose, declared]), root / "nbs" / "toys" / "21_noising_latents.ipynb")
    run = Run("21_noising_latents", root / "runs" / "21_noising_latents" / "abcdefabcdef")
    fig = Figure(figsize=(2, 1))
    fig.subplots().plot([1, 2])
    run.figure(fig, "curve")
    run.samples(HOSTILE[2], HOSTILE)
    run.samples("rows", [{HOSTILE[3]: HOSTILE[0], "b": text} for text in HOSTILE])
    run.record(**{HOSTILE[0]: HOSTILE[2], "told": HOSTILE, "rows": [{HOSTILE[2]: HOSTILE[0]}]})
    first, second = [c for c in CLAIMS.values() if c.chapter == 21][:2]
    run.claim(first, HOSTILE[0], "open", HOSTILE[2], evidence=at_least(rows=(1, 2)))
    run.claim(second, 1, "better", "peaceful", evidence=at_least(rows=(2, 2)))
    write_json(run.folder / "provenance.json", {
        "chapter": "21_noising_latents", "profile": "quick", "overrides": {}, "git": {"sha": HOSTILE[0]},
        "device": HOSTILE[2], "uses": {"corpus": HOSTILE[0]}})
    write_json(run.folder / "params.json", {"text": HOSTILE[0]})
    times = {"started": "2026-01-01T10:00:00+00:00", "ended": "2026-01-01T10:01:00+00:00"}
    write_json(run.folder / "status.json", {"status": "ok"} | times)
    write_atomic(run.folder / "log.txt", HOSTILE[0])

def looked_at(browser, page, width, profile):
    "The page's root element after everything has run."
    argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
            f"--window-size={width},900", "--virtual-time-budget=3000", "--dump-dom", page.as_uri()]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=180)
    return next(iter(re.findall(r"<html[^>]*>", done.stdout)), ""), done.stderr[-200:]

def wrongs(head, said):
    "What is not as it must be."
    if not (m := re.search(r"data-seen=\"([^\"]*)\"", head)): return [f"it was not drawn: {said}"]
    seen = json.loads(m[1].replace("&quot;", '"'))
    print(seen)
    holds = {
        "a sample ran as a program": "data-taken" not in head, "elements of others stand in it": not seen["strange"],
        "scripts of others stand in it": seen["scripts"] == 2,
        "a sample hides it": seen["display"] != "none" and seen["base"],
        "something was fetched": not seen["fetched"], f"it is {seen['wide']} wide": seen["wide"] <= seen["view"] + 1,
        "its filter does not work": (seen["before"], seen["open"]) == (2, 1),
    }
    return [what for what, well in holds.items() if not well]

def main():
    from textdiff.lab.command import main as command
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None: print("no Chromium on this machine: the report was not opened"); return 0
    with tempfile.TemporaryDirectory(prefix="textdiff-browser-", ignore_cleanup_errors=True) as d:
        root = Path(d).resolve() / "lab"
        write_runs(root)
        with chdir(root): wrong = [f"the report ended with {code}"] if (code := command(["report"])) else []
        page = root / "runs" / "report.html"
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace("</body>", ASK + "</body>") if "</body>" in text else text + ASK, encoding="utf-8")
        for width in (1280, 390):                                     # headless Chromium goes down to 500
            looked = looked_at(browser, page, width, Path(d) / f"profile-{width}")
            wrong += [f"at {width}: {w}" for w in wrongs(*looked)]
    for line in wrong: print("    WRONG:", line)
    return int(bool(wrong))

if __name__ == "__main__": sys.exit(main())
