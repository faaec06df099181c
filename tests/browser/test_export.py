"""What readers without a kernel see: exported pages, saved notebooks, collapsed answers."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat import v4
from playwright.sync_api import expect

from tests.browser.page_objects import opened, watched
from tests.browser.test_lens import SHOWN_SUMS, expect_sums
from tools.export import page as exported_page
from tools.install_settings import SETTINGS
from tools.lab import PROJECT, cell, open_notebook, run_cell
from tools.notebooks import WIDGET_VIEW, code_cells

NOTEBOOKS = sorted(PROJECT.glob("notebooks/*.ipynb"))
PANELS = """\
from convkit.panels import DescentStepper, KernelEditor
small = KernelEditor(stripes(), torch.tensor([[1.0, -1.0]]))
large = KernelEditor(photo())
learner = DescentStepper(stripes(), small.output, torch.tensor([[0.5, 0.5]]))
display(small, large, learner)"""
FOR_DEVELOPERS = ["Run this cell", "<!--", "digest", "\\begin", "panel live"]
FOREIGN = """<b onclick="alert()">kept</b> <a href="java&#9;script:alert()">kept</a>
<iframe srcdoc="<script>parent.alert()</script>"></iframe><!--><script>alert()</script>-->
<img src="https://a.b/c.png" onerror="alert()"><meta http-equiv="refresh" content="0;https://a.b">
<link rel="stylesheet" href="https://a.b/d.css"><svg><script>alert()</script></svg>
<form action="https://a.b"><input type="radio"><input type="submit"></form>
<style>@import url(https://a.b/e.css); main { background: url(https://a.b/f.png) }</style>"""
DIRTY = ".jp-NotebookPanel:visible .jp-mod-dirty, .lm-TabBar-tab.jp-mod-dirty"


@pytest.fixture
def phone(chromium):
    """Give a page as wide as a phone, with touch, without script; requests are an error."""
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
    with watched(chromium, java_script_enabled=False, **options) as page:
        requests = []
        page.on("request", lambda r: requests.append(r.url))
        yield page
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def exported(request, phone, tmp_path):
    """Give a notebook, and a phone that shows its page."""
    notebook = nbformat.read(request.param, as_version=4)
    target = tmp_path / f"{request.param.stem}.html"
    target.write_text(exported_page(notebook, request.param.parent), encoding="utf-8")
    phone.goto(target.as_uri())
    return notebook, phone


def test_a_notebook_is_one_page_that_needs_no_script(exported):
    notebook, phone = exported
    expect(phone.locator("img:not([src])")).to_have_count(0)
    expect(phone.locator(".text_cell details:not(:has(p, li, td))")).to_have_count(0)
    answers = [c for c in code_cells(notebook) if c.metadata.get("jupyter") and c.outputs]
    folds = phone.locator("details.answer")
    expect(folds).to_have_count(len(answers))
    for fold in folds.all():
        expect(fold.locator(".output_wrapper")).to_be_hidden()
        fold.locator("summary").first.tap()
        expect(fold.locator(".output_wrapper")).to_be_visible()
    stored = [
        o.data.get("text/html", "") for c in code_cells(notebook) for o in c.outputs if "data" in o
    ]
    with_sums = ".ck-choose:not([data-paint])"  # a picture to paint has none
    views = phone.locator(f".ck-saved:has({with_sums})")
    found = [BeautifulSoup(html, "html.parser").select_one(with_sums) for html in stored]
    expect(views).to_have_count(len(stored) - found.count(None))
    for view in views.all():
        _, *others = view.evaluate(SHOWN_SUMS)  # the first one is about the last table
        last = view.get_by_role("radio").last
        last.tap()
        phone.mouse.move(0, 0)
        expect_sums(view, *others, last.get_attribute("aria-label"))


def test_a_page_reads_well_on_a_phone_and_in_print(exported):
    _, phone = exported
    phone.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    said = phone.locator("main").inner_text()
    for image in phone.locator("img").all():
        assert image.evaluate("image => image.complete && image.naturalWidth > 5")
        if image.get_attribute("width"):  # in a smaller picture the words would be too small
            assert image.bounding_box()["width"] == int(image.get_attribute("width"))
        said += image.get_attribute("alt")
    assert not [words for words in FOR_DEVELOPERS if words in said]
    for matrix in phone.locator("mtable").all():
        expect(matrix).to_have_css("border-left-style", "solid")
        assert matrix.bounding_box()["height"] > 15 * matrix.locator("mtr").count()
    phone.emulate_media(media="print")
    for coloured in phone.locator("td[class], .ck-ring").all():
        expect(coloured).to_have_css("print-color-adjust", "exact")


def test_of_a_notebook_from_elsewhere_nothing_acts(chromium, tmp_path):
    html, markdown = v4.new_output("display_data", {"text/html": FOREIGN}), f"# A {FOREIGN}"
    tex = r"$\text{<b onclick='alert()'>a</b>}$ $\href{javascript:alert()}{b}$ $\sqrt[$"
    cells = [v4.new_markdown_cell(source) for source in (markdown, tex)]
    notebook = v4.new_notebook(cells=[*cells, v4.new_code_cell("1", outputs=[html])])
    target = tmp_path / "foreign.html"
    target.write_text(exported_page(notebook), encoding="utf-8")
    page, acts = chromium.new_page(), []
    page.on("dialog", lambda dialog: (acts.append(dialog.message), dialog.dismiss()))
    page.route(
        re.compile("^https?:"), lambda route: (acts.append(route.request.url), route.abort())
    )
    page.goto(target.as_uri())
    for kept in page.get_by_text("kept").all():
        kept.click()
    page.get_by_role("radio").first.press("Enter")
    expect(page.locator("code.inline")).to_have_text(r"\sqrt[")
    assert page.get_by_text("kept").count() == 4
    assert (acts, page.url) == ([], target.as_uri())
    html = page.locator("main").inner_html()
    assert not [word for word in ("alert", "iframe", "meta", "action=", "src=") if word in html]
    page.close()


def test_only_pictures_of_a_notebooks_folder_are_put_into_its_page(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for path in (folder / "a.png", tmp_path / "b.png", folder / "c.svg"):
        path.write_bytes(b"1")
    source = "![](a.png) ![](../b.png) ![](c.svg) ![](gone.png)"
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell(source)])
    body = BeautifulSoup(exported_page(notebook, folder), "html.parser")
    shown = [image.get("src") for image in body.select("img")]
    assert shown == ["data:image/png;base64,MQ==", None, None, None]


def test_notebooks_of_other_editors_are_exported_too():
    output = v4.new_output("stream", text="4")
    code = v4.new_code_cell("2 + 2", metadata={"collapsed": True}, outputs=[output])
    notebook = v4.new_notebook(cells=[v4.new_raw_cell("raw", metadata={"collapsed": True}), code])
    for old in notebook.cells:
        del old["id"]  # as in all notebooks before format 4.5
    notebook.nbformat_minor = 4
    body = BeautifulSoup(exported_page(notebook), "html.parser")
    assert body.select_one("details.answer .output_wrapper").text.strip() == "4"
    assert "<main></main>" in exported_page(v4.new_notebook())


@pytest.fixture(scope="module")
def saved(chromium, lab):
    """Give a notebook that a learner saved with live panels, views and state included."""
    with opened(chromium, lab, "saved_panels") as notebook:
        notebook.show(PANELS)
        notebook.page.keyboard.press("ControlOrMeta+s")
        expect(notebook.page.get_by_text("Saving completed")).to_be_visible()
    path = lab.root / "saved_panels.ipynb"
    stored = nbformat.read(path, as_version=4)
    assert len([o for o in stored.cells[1].outputs if WIDGET_VIEW in o.data]) == 3
    assert stored.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    return path


def expect_panels(page, html: str, path) -> None:
    path.write_text(html, encoding="utf-8")
    page.goto(path.as_uri())
    expect(page.locator(".ck-saved .ck-choose").first).to_be_visible()
    expect(page.get_by_text("Run this cell to make the panel live.").first).to_be_hidden()
    pictures = page.locator(".jp-OutputArea img")
    expect(pictures).to_have_count(2)
    for image in pictures.all():
        assert image.evaluate("image => image.naturalWidth") > 300


def test_a_saved_notebook_is_exported_with_its_panels(saved, phone, tmp_path):
    """By nbconvert on the command line, with the project's settings."""
    shutil.copytree(SETTINGS / "jupyter", tmp_path / "config")  # Jupyter writes into it
    settings = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path / "config")}
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--stdout", str(saved)]
    run = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    phone.route(re.compile("^https?:"), lambda route: route.abort())
    expect_panels(phone, run.stdout, tmp_path / "saved.html")


def test_without_the_settings_a_saved_panel_is_blank(saved):
    html, _ = HTMLExporter().from_filename(str(saved))
    assert BeautifulSoup(html, "html.parser").select(".ck-saved, .jp-OutputArea img") == []


def test_jupyterlab_exports_a_saved_notebook_with_its_panels(saved, lab, chromium, phone, tmp_path):
    """By the server, as the menu "Save and Export Notebook As" asks it to."""
    context = chromium.new_context()
    answer = context.request.get(f"{lab.url}/nbconvert/html/{saved.name}?token={lab.token}")
    assert answer.ok
    phone.route(re.compile("^https?:"), lambda route: route.abort())
    expect_panels(phone, answer.text(), tmp_path / "menu.html")
    context.close()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_opening_a_notebook_does_not_change_it(page, lab, path):
    open_notebook(page, lab, f"notebooks/{path.name}")
    expect(page.locator(DIRTY)).to_have_count(0)
    page.keyboard.press("ControlOrMeta+s")
    expect(page.get_by_text("Saving completed")).to_be_visible()
    saved = nbformat.read(lab.root / "notebooks" / path.name, as_version=4)
    saved.metadata.pop("widgets")  # an empty list, for JupyterLab is set to save it
    assert saved == nbformat.read(path, as_version=4)


def test_an_answer_is_collapsed_until_its_cell_runs(page, lab):
    open_notebook(page, lab, "notebooks/01_cross_correlation.ipynb")
    cells = code_cells(nbformat.read(NOTEBOOKS[1], as_version=4))
    answers = [n for n, c in enumerate(cells, start=1) if c.metadata.get("jupyter")]
    hidden = answers[0]
    expect(cell(page, hidden).locator(".ck-saved, pre").last).to_be_hidden()
    expect(page.locator(".jp-OutputPlaceholder")).to_have_count(len(answers))
    said = cell(page, hidden).locator(".jp-OutputPlaceholder")
    expect(said).to_have_text("the lens:")
    for n in range(1, hidden + 1):
        run_cell(page, n)
    expect(cell(page, hidden).locator(".jp-OutputArea-output").last).to_be_visible()
