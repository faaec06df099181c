"""Write notebooks as web pages that need no script, no network and no kernel: into export/.

    python -m tools.export notebooks/*.ipynb

nbconvert makes the content. A page is this file's style around it; an output that answers a
"Predict first" is folded, a formula is drawn where matplotlib can draw it, and links between the
notebooks lead from page to page.
"""

import re
import sys
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from io import BytesIO
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, NavigableString, Tag
from matplotlib import mathtext
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

FOLDER = Path("export")
STYLE = Path(__file__).with_name("export.css")
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def page(notebook: NotebookNode) -> str:
    """Return a notebook as one self-contained HTML page."""
    notebook = nbformat.v4.upgrade(notebook, 4, notebook.nbformat_minor)  # cells have ids since 4.5
    content, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    body = BeautifulSoup(content, "html.parser")
    for script in body(["script", "link"]):
        script.decompose()
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    fold_answers(body, [cell.id for cell in codes if cell.metadata.get("collapsed")])
    draw_formulas(body)
    for link in body.select("a[href$='.ipynb']"):
        link["href"] = link["href"].removesuffix(".ipynb") + ".html"
    title = TITLE.search(notebook.cells[0].source if notebook.cells else "")
    colours = HtmlFormatter().get_style_defs(".highlight")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title[1]) if title else 'Notebook'}</title>"
        f"<style>{colours}\n{STYLE.read_text('utf-8')}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def fold_answers(body: BeautifulSoup, ids: Iterable[str]) -> None:
    """Put the outputs of collapsed cells, which answer a "Predict first", into folds."""
    for cell_id in ids:
        outputs = body.find(id=f"cell-id={cell_id}").select_one(".output_wrapper")
        if outputs is not None:
            fold = body.new_tag("details", attrs={"class": "answer"})
            summary = body.new_tag("summary")
            summary.string = "Show the output"
            outputs.wrap(fold).insert(0, summary)


def draw_formulas(body: BeautifulSoup) -> None:
    """Replace TeX between dollars by pictures, outside of code."""
    for text in body.select(".text_cell")[:]:
        for part in text.find_all(string=FORMULA):
            if part.find_parent(["code", "pre"]) is None:
                part.replace_with(*_with_pictures(body, part))


def _with_pictures(body: BeautifulSoup, text: str) -> Iterable[NavigableString | Tag]:
    end = 0
    for match in FORMULA.finditer(text):
        yield NavigableString(text[end : match.start()])
        yield _formula(body, match)
        end = match.end()
    yield NavigableString(text[end:])


def _formula(body: BeautifulSoup, match: re.Match[str]) -> Tag:
    """Return a formula as a picture, or as its source where matplotlib cannot draw it."""
    tex = " ".join((match[1] or match[2]).split())
    kind = "display" if match[1] else "inline"
    drawn = BytesIO()
    try:
        mathtext.math_to_image(f"${tex}$", drawn, dpi=100, format="svg")
    except ValueError:
        source = body.new_tag("code", attrs={"class": kind})
        source.string = tex
        return source
    data = b64encode(drawn.getvalue()).decode()
    attributes = {"src": f"data:image/svg+xml;base64,{data}", "alt": tex, "class": f"tex {kind}"}
    return body.new_tag("img", attrs=attributes)


def main(paths: Iterable[str]) -> None:
    """Write the page of each notebook."""
    FOLDER.mkdir(exist_ok=True)
    for path in map(Path, paths):
        target = FOLDER / f"{path.stem}.html"
        target.write_text(page(nbformat.read(path, as_version=4)), encoding="utf-8")
        print(f"{target}: {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
