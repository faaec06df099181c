"""Write notebooks as web pages that need no script, no network and no kernel: into export/.

    python -m tools.export notebooks/*.ipynb

nbconvert makes the content. A page is this file's style around it; an output that answers a
"Predict first" is folded, formulas are drawn by the browser, and links between the notebooks lead
from page to page. Of a notebook from elsewhere what is not text, a picture or a view is left out.
"""

import re
import sys
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, NavigableString, Tag
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from tools.allowed_html import PAGE, examine, read

FOLDER = Path("export")
STYLE = Path(__file__).with_name("export.css")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'"
"""What a browser lets a page do: show its own pictures and style, and ask for nothing."""
SHOWN = ["text/html", "image/png", "image/jpeg", "text/markdown", "text/plain"]
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
PICTURE = re.compile(r"^[\w./-]{1,200}\.png$")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
DIGEST = re.compile(r", digest [0-9a-f]{8}")
"""What tells a test that a picture is the same, and a reader nothing."""


def page(notebook: NotebookNode, folder: Path = Path()) -> str:
    """Return a notebook as one self-contained HTML page, with the pictures of its folder."""
    notebook = nbformat.v4.upgrade(notebook, 4, notebook.nbformat_minor)  # cells have ids since 4.5
    config = Config({"NbConvertBase": {"display_data_priority": SHOWN}})
    content, _ = HTMLExporter(config, template_name="basic").from_notebook_node(notebook)
    body = BeautifulSoup(content, "html.parser")
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    fold_answers(body, [cell.id for cell in codes if cell.metadata.get("collapsed")])
    draw_formulas(body)
    embed_pictures(body, folder)
    for link in body.select("a[href$='.ipynb']"):
        link["href"] = link["href"].removesuffix(".ipynb") + ".html"
    for image in body.select("img[alt]"):
        image["alt"] = DIGEST.sub("", image["alt"])
    title = TITLE.search(notebook.cells[0].source if notebook.cells else "")
    colours = HtmlFormatter().get_style_defs(".highlight")
    shown = read(str(body))
    examine(shown, PAGE)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title[1]) if title else 'Notebook'}</title>"
        f"<style>{colours}\n{STYLE.read_text('utf-8')}</style></head>"
        f"<body><main>{shown.to_html(pretty=False)}</main></body></html>\n"
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


def embed_pictures(body: BeautifulSoup, folder: Path) -> None:
    """Put the pictures of a notebook's folder into its page.

    nbconvert's `embed_images` would do so too, but ends a fold where its first line ends.
    """
    for image in body.find_all("img", src=PICTURE):
        file = (folder / image["src"]).resolve()
        if file.is_relative_to(folder.resolve()) and file.is_file():
            image["src"] = f"data:image/png;base64,{b64encode(file.read_bytes()).decode()}"


def draw_formulas(body: BeautifulSoup) -> None:
    """Replace TeX between dollars by MathML, outside of code."""
    for text in body.select(".text_cell")[:]:
        for part in text.find_all(string=FORMULA):
            if part.find_parent(["code", "pre"]) is None:
                part.replace_with(*_with_formulas(body, part))


def _with_formulas(body: BeautifulSoup, text: str) -> Iterable[NavigableString | Tag]:
    end = 0
    for match in FORMULA.finditer(text):
        yield NavigableString(text[end : match.start()])
        yield _formula(body, match)
        end = match.end()
    yield NavigableString(text[end:])


def _formula(body: BeautifulSoup, match: re.Match[str]) -> Tag:
    """Return a formula as MathML, or as its source where that is not possible."""
    tex = " ".join((match[1] or match[2]).split())
    kind = "block" if match[1] else "inline"
    try:
        formula = BeautifulSoup(convert(tex, display=kind), "html.parser").math
    except Exception:  # the errors of latex2mathml have no common class
        source = body.new_tag("code", attrs={"class": kind})
        source.string = tex
        return source
    for opening in formula.find_all("mo", string="["):
        matrix = opening.find_next_sibling()
        if matrix is not None and matrix.name == "mtable":  # few fonts have brackets that tall
            matrix["class"] = "brackets"
    return formula


def main(paths: Iterable[str]) -> None:
    """Write the page of each notebook."""
    FOLDER.mkdir(exist_ok=True)
    for path in map(Path, paths):
        target = FOLDER / f"{path.stem}.html"
        notebook = nbformat.read(path, as_version=4)
        target.write_text(page(notebook, path.parent), encoding="utf-8")
        print(f"{target}: {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
