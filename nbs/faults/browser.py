"""A report on a text that wants to be a program, opened in a real browser.

    python nbs/faults/browser.py

Writes a run whose every name, number and sample is markup, builds the report, and opens it in Chromium without a window.
Nothing of it may run, be fetched or stand outside its box; and the page's own filter must work. Where there is no Chromium it says so and ends well."""
import json, re, shutil, subprocess, sys, tempfile
from contextlib import chdir
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TAKEN = "document.documentElement.setAttribute('data-taken','yes')"
HOSTILE = [f"<script>{TAKEN}</script>", f"</pre></script><script>{TAKEN}</script>", f"<img src=x onerror=\"{TAKEN}\">", f"\"><svg onload=\"{TAKEN}\">",
    f"<a href=\"javascript:{TAKEN}\">here</a>", "{{ 7 * 7 }}", "{% raw %}", "<!--", "]]>", "<iframe src='http://127.0.0.1:9/'></iframe>", "<style>body{display:none}</style>",
    "<base href='http://127.0.0.1:9/'>", "\u202egnirts", "\x00\x1b[31m", "x" * 20_000]

def write_run(root):
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
    claim = next(c for c in CLAIMS.values() if c.chapter == 21)
    run.claim(claim, HOSTILE[0], "open", HOSTILE[2], evidence=at_least(rows=(1, 2)))
    told = {"chapter": "21_noising_latents", "profile": "quick", "overrides": {}, "git": {"sha": HOSTILE[0]}, "device": HOSTILE[2], "uses": {"corpus": HOSTILE[0]}}
    write_json(run.folder / "provenance.json", told)
    write_json(run.folder / "params.json", {"text": HOSTILE[0]})
    write_json(run.folder / "status.json", {"status": "ok", "started": "2026-01-01T10:00:00+00:00", "ended": "2026-01-01T10:01:00+00:00"})
    write_atomic(run.folder / "log.txt", HOSTILE[0])

def main():
    from textdiff.lab.board import main as command
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None: print("no Chromium on this machine: the report was not opened"); return 0
    with tempfile.TemporaryDirectory(prefix="textdiff-browser-") as d:
        root = Path(d).resolve() / "lab"
        write_run(root)
        with chdir(root): code = command(["report"])
        page = root / "runs" / "report.html"
        # a line of our own, at the end, asks the page what it is like after everything has run
        text = page.read_text(encoding="utf-8")
        ask = """<script>addEventListener('load', () => { const wide = document.documentElement.scrollWidth, view = innerWidth;
            document.documentElement.setAttribute('data-seen', JSON.stringify({wide, view, shown: getComputedStyle(document.body).display, frames: document.querySelectorAll('iframe,object,embed').length,
            scripts: document.scripts.length, base: document.baseURI.startsWith('file:'), rows: document.querySelectorAll('tr').length,
            widest: [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > view + 1).slice(0, 3).map(e => e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right)), fetched: performance.getEntriesByType('resource').length})) })</script>"""
        page.write_text(text.replace("</body>", ask + "</body>") if "</body>" in text else text + ask, encoding="utf-8")
        wrong = [] if code in (0, None) else [f"the report ended with {code}"]
        for width in (1280, 390):
            argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={d}/profile", f"--window-size={width},900", "--virtual-time-budget=3000", "--dump-dom", page.as_uri()]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
            head = next(iter(re.findall(r"<html[^>]*>", done.stdout)), "")
            if not (m := re.search(r"data-seen=\"([^\"]*)\"", head)): wrong.append(f"at {width} the page was not drawn: {done.stderr[-200:]}"); continue
            seen = json.loads(m[1].replace("&quot;", '"'))
            print(f"at {width}: {seen}")
            if "data-taken" in head: wrong.append(f"at {width} a sample ran as a program")
            if seen["frames"] or seen["scripts"] != text.count("<script") + 1: wrong.append(f"at {width} there are frames or scripts of others")
            if seen["shown"] == "none" or not seen["base"]: wrong.append(f"at {width} a sample changed the page")
            if seen["fetched"]: wrong.append(f"at {width} something was fetched")
            if seen["wide"] > seen["view"] + 1: wrong.append(f"at {width} the page is {seen['wide']} wide")
    for line in wrong: print("    WRONG:", line)
    return int(bool(wrong))

if __name__ == "__main__": sys.exit(main())
