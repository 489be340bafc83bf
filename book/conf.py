"""The book: every notebook a page, as it is committed. Run by `make book`; nothing is executed, nothing fetched."""
import configparser
import json
import re
from pathlib import Path

import jupyter_server_mathjax

ROOT = Path(__file__).resolve().parent.parent
_settings = configparser.ConfigParser()
_settings.read(ROOT / "settings.ini", encoding="utf-8")
SETTINGS = _settings["DEFAULT"]
ONLINE = f"{SETTINGS['git_url']}/blob/{SETTINGS['branch']}"

project, author, release, language = SETTINGS["title"], SETTINGS["author"], SETTINGS["version"], "en"
extensions, root_doc = ["myst_nb", "sphinx.ext.mathjax"], "index"
exclude_patterns = ["**.ipynb_checkpoints", "profiles", "mutants"]
nb_execution_mode, nb_merge_streams, nb_render_markdown_format = "off", True, "myst"
myst_enable_extensions = ["dollarmath", "amsmath"]
html_theme, html_title = "sphinx_book_theme", "textdiff"
html_theme_options = {"repository_url": SETTINGS["git_url"], "use_repository_button": True, "show_toc_level": 2,
                      "navigation_with_keys": False}
html_static_path = [str(Path(jupyter_server_mathjax.__file__).parent / "static")]   # MathJax, no network
myst_update_mathjax = False                                                        # that would be for MathJax 3
mathjax2_config = {"tex2jax": {"ignoreClass": "tex2jax_ignore", "processClass": "math|output_area"}}
mathjax_path = "MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe"
html_copy_source, html_show_sourcelink = False, False

FLOORS = {"foundations": "What text diffusion is made of", "lab": "How an experiment becomes a result",
          "bart": "The embedding-space line, June 2025", "chars": "The masked character line",
          "arc": "The grid line, October 2025", "harness": "Side by side"}

def contents():
    "The table of contents, floor by floor, as cells of the first page."
    for floor, caption in FLOORS.items():
        rooms = sorted((ROOT / "nbs" / floor).glob("*.ipynb"))
        pages = [f"{floor}/{room.stem}" for room in rooms]
        if pages: yield "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"])

def links(docname):
    "Where a chapter's notebook, module and kept runs lie."
    name = docname.rpartition("/")[2]
    exported = re.search(r"#\| default_exp ([\w.]+)", (ROOT / "nbs" / f"{docname}.ipynb").read_text(encoding="utf-8"))
    found = [f"[notebook]({ONLINE}/nbs/{docname}.ipynb)"]
    if exported: found.append(f"[module]({ONLINE}/textdiff/{exported[1].replace('.', '/')}.py)")
    kept = sorted(p.name for p in (ROOT / "runs" / "reference" / name).glob("[!.]*") if p.is_dir())
    return " · ".join([*found, *(f"[kept run: {k}]({ONLINE}/runs/reference/{name}/{k})" for k in kept)])

def as_page(app, docname, source):
    "What a reader of the book does not need goes: hidden cells, nbdev's directives. What is missing comes: contents, links."
    nb = json.loads(source[0])
    cells = [c for c in nb["cells"] if not re.match(r"#\| (hide|default_exp)", "".join(c["source"]))
             and "remove-cell" not in c["metadata"].get("tags", [])]
    for c in cells:
        text = "".join(c["source"])
        if c["cell_type"] == "code":
            text = re.sub(r"^(#\| \w+.*\n?)+", "", text)
            lines = [line for line in text.splitlines() if line.strip()]
            if all(re.match(r"(from|import)\b|[ )]", line) for line in lines): # nothing but imports: folded
                c["metadata"].setdefault("tags", []).append("hide-input")
        else: text = re.sub(r"\]\((?:\.\./)+(nbs/|(?:data/)?[A-Z]+\.md)", lambda m: "](" if m[1] == "nbs/" else f"]({ONLINE}/{m[1]}", text)
        c["source"] = text
    def page(text, name): return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}
    if docname == root_doc: cells += [page(text, f"contents-{i}") for i, text in enumerate(contents())]
    else: cells.insert(1, page(links(docname), "links"))
    source[0] = json.dumps(nb | {"cells": cells})

def setup(app): app.connect("source-read", as_page)
