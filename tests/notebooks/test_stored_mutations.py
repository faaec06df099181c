"""The guard catches whatever is done to a stored notebook, and passes the notebook itself.

Each mutant is a copy of a real notebook with one thing spoiled, in the file's JSON; the guard then
runs on it as `make test-notebooks` runs it. What it does not guard is prose.
"""

import copy
import io
import re
import shutil
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output, new_raw_cell
from PIL import Image, ImageOps, PngImagePlugin

from tools.notebooks import WIDGET_VIEW, code_cells

ROOT = Path(__file__).parents[2]
START, LEARN = "00_start_here", "04_learning_a_kernel"

# Cells by their ids: one that prints, one that draws, one that shows the panel of its name; and
# what to write where so that a plot shows other data, or other numbers come out; and one that runs
# after the panel's.
ROLES = {
    START: SimpleNamespace(
        prints="output",
        draws="draw-stripes",
        plots=("draw-stripes", ": X}", ": 1 - X}"),
        panel="editor",
        wrong=("two-weights", "-1.0", "-1.0, 0.0"),
        after="turn-signs",
    ),
    LEARN: SimpleNamespace(
        prints="learned-weight",
        draws="task",
        plots=("plot-losses", "losses,", "losses[::-1],"),
        panel="stepper",
        wrong=("training-loop", "lr = 3e-2", "lr = 2e-2"),
        after="first-steps",
    ),
}


FAILED = "Notebook cell execution failed\n"


def at(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == name)


def shown(notebook: NotebookNode, name: str) -> NotebookNode:
    """The data of the one output of a cell that has a picture or a panel."""
    return next(output for output in at(notebook, name).outputs if "data" in output)


def picture(notebook: NotebookNode, roles: SimpleNamespace) -> NotebookNode:
    return shown(notebook, roles.draws).data


def panel(notebook: NotebookNode, roles: SimpleNamespace) -> NotebookNode:
    return shown(notebook, roles.panel)


def replaced(notebook: NotebookNode, name: str, old: str, new: str) -> None:
    cell = at(notebook, name)
    assert cell.source.count(old) == 1
    cell.source = cell.source.replace(old, new)


def renumbered(notebook: NotebookNode) -> None:
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number


def repainted(data: NotebookNode, paint: Callable[[Image.Image], Image.Image], **more) -> None:
    """Paint upon a PNG, and leave what else it says as it is, but for `more`."""
    with Image.open(io.BytesIO(b64decode(data["image/png"]))) as image:
        painted = paint(image.convert("RGBA"))
        words = PngImagePlugin.PngInfo()
        for name, value in image.text.items():
            words.add_text(name, value)
        kept = {"format": "PNG", "pnginfo": words, "dpi": image.info["dpi"]}
    buffer = io.BytesIO()
    painted.save(buffer, **(kept | more))
    data["image/png"] = b64encode(buffer.getvalue()).decode()


def same(image):
    return image


# What is done to a notebook, by kind and name. Each takes the notebook and its roles.


def clear(notebook, outputs=True, counts=True):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [] if outputs else cell.outputs
            cell.execution_count = None if counts else cell.execution_count


def clear_one(notebook, roles, **fields):
    at(notebook, roles.prints).update(fields)


def count_a_result(notebook, roles):
    panel(notebook, roles).execution_count += 1


def delete(notebook, name):
    notebook.cells.remove(at(notebook, name))


def delete_and_renumber(notebook, roles):
    delete(notebook, roles.prints)
    renumbered(notebook)


def delete_last(notebook, roles):
    notebook.cells.remove(code_cells(notebook)[-1])


def add(notebook, roles):
    notebook.cells.insert(-1, new_code_cell("extra = 1"))


def add_as_if_run(notebook, roles):
    count = len(code_cells(notebook)) + 1
    notebook.cells.insert(-1, new_code_cell("extra = 1", execution_count=count))


def reorder(notebook, roles):
    """Swap the last two cells of code: neither needs the other."""
    first, second = code_cells(notebook)[-2:]
    i, j = notebook.cells.index(first), notebook.cells.index(second)
    notebook.cells[i], notebook.cells[j] = second, first


def reorder_and_renumber(notebook, roles):
    reorder(notebook, roles)
    renumbered(notebook)


def paint_a_pixel(image):
    x, y = image.width // 2, image.height // 2
    red, green, blue, _ = image.getpixel((x, y))
    image.putpixel((x, y), (255 - red, 255 - green, 255 - blue, 255))
    return image


def blank(image):
    return Image.new("RGBA", image.size, "white")


def swap_pictures(notebook, roles):
    """Show another notebook's picture."""
    mine = picture(notebook, roles)
    other = nbformat.read(ROOT / "notebooks" / "03_edges_and_filters.ipynb", as_version=4)
    mine["image/png"] = shown(other, "draw-transposed").data["image/png"]


def to_jpeg(notebook, roles):
    data = picture(notebook, roles)
    repainted(data, lambda image: image.convert("RGB"), format="JPEG")
    data["image/jpeg"] = data.pop("image/png")


def add_frames(notebook, roles):
    """Let browsers show frames in red, where others show the right picture."""
    data = picture(notebook, roles)

    red = Image.new("RGBA", (99, 99), "red")
    repainted(data, same, save_all=True, append_images=[red, red], default_image=True)


def turn_by_exif(notebook, roles):
    exif = Image.Exif()
    exif[0x0112] = 3
    repainted(picture(notebook, roles), same, exif=exif)


def truncate(notebook, roles):
    data = picture(notebook, roles)
    data["image/png"] = data["image/png"][: len(data["image/png"]) // 8 * 4]


def plot_nothing(notebook, roles):
    cell = at(notebook, roles.plots[0])
    cell.source = f"def unused():\n    return {cell.source}"


def take_back(notebook, roles):
    at(
        notebook, roles.prints
    ).source += "\nfrom IPython.display import clear_output\nclear_output()"


def show_then_update(notebook, roles):
    """Replace on the page, by its id, what the file stores."""
    at(
        notebook, roles.prints
    ).source += (
        "\nfrom IPython.display import update_display\nupdate_display('other', display_id='x')"
    )


def close_panel(notebook, roles):
    cell = at(notebook, roles.after)
    cell.source = f"{roles.panel}.close()\n{cell.source}"


def store_view(notebook, roles):
    panel(notebook, roles).data[WIDGET_VIEW] = {"model_id": "0" * 32, "version_major": 2}


def store_state(notebook, roles):
    state = {"state": {}, "version_major": 2, "version_minor": 0}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}


def bare_widget(notebook, roles):
    output = panel(notebook, roles)
    output.data = nbformat.from_dict({"text/plain": "VBox(children=(HTML(value=''),))"})


def change_fallback(notebook, roles):
    data = panel(notebook, roles).data
    if "text/html" in data:
        cells = re.findall(r">(-1)<", data["text/html"])
        assert cells
        data["text/html"] = data["text/html"].replace(">-1<", ">-2<", 1)
    else:
        repainted(data, ImageOps.flip)


def change_summary(notebook, roles):
    data = panel(notebook, roles).data
    data["text/plain"] = re.sub(r"-1\b", "-2", data["text/plain"], count=1)


STILL = """\
class Still:
    def _repr_mimebundle_(self, **kwargs):
        data, metadata = {0}.fallback()
        return data | {{"text/plain": {0}.summary()}}, metadata


Still()"""


def no_longer_live(notebook, roles):
    cell = at(notebook, roles.panel)
    assert cell.source.endswith(f"\n{roles.panel}")
    cell.source = cell.source.removesuffix(roles.panel) + STILL.format(roles.panel)


def lose_the_mark(notebook, roles):
    del panel(notebook, roles).metadata["live"]


def forge_in_a_blank_cell(notebook, roles):
    """Store words under a cell without code, which nbval is told to skip."""
    output = new_output("stream", text="42\n")
    cell = new_code_cell(outputs=[output], metadata={"tags": ["nbval-skip"]})
    notebook.cells.insert(-1, cell)


def forge_in_a_raw_cell(notebook, roles):
    notebook.cells.insert(-1, new_raw_cell("<b>42</b>", metadata={"raw_mimetype": "text/html"}))


def collapse(notebook, roles):
    notebook.cells[0].metadata["jp-MarkdownHeadingCollapsed"] = True


def tag(notebook, roles, name):
    at(notebook, roles.prints).metadata["tags"] = [name]


def comment(notebook, roles, marker):
    cell = at(notebook, roles.prints)
    cell.source = f"{marker}\n{cell.source}"


def store_an_error(notebook, roles):
    cell = at(notebook, roles.prints)
    cell.metadata["tags"] = ["raises-exception"]
    cell.outputs.append(new_output("error", ename="ValueError", evalue="wrong", traceback=[]))


def raise_one(notebook, roles):
    at(notebook, roles.prints).source += '\nraise ValueError("wrong")'


def swap_summaries(notebook, roles):
    picture(notebook, roles)["text/plain"] = "X: 3 × 3, from 0 to 1, digest 00000000"


def another_digest(notebook, roles):
    data = picture(notebook, roles)
    data["text/plain"] = re.sub(r"digest \w{7}", "digest 0000000", data["text/plain"], count=1)


def another_alt(notebook, roles):
    """Lie to those who listen: the alternative text says another range."""
    image = shown(notebook, roles.draws).metadata["image/png"]
    image["alt"] = image["alt"].replace("from 0 to 1", "from 0 to 2")


def another_width(notebook, roles):
    shown(notebook, roles.draws).metadata["image/png"]["width"] = 100


def edit_words(notebook, roles):
    cell = at(notebook, roles.prints)
    text = cell.outputs[0].text
    cell.outputs[0].text = re.sub(r"\d(?=\D*$)", lambda m: str(9 - int(m[0])), text)


def to_stderr(notebook, roles):
    at(notebook, roles.prints).outputs[0].name = "stderr"


def split(notebook, roles):
    """Print the stored words twice."""
    cell = at(notebook, roles.prints)
    cell.outputs.append(copy.deepcopy(cell.outputs[0]))


def language(notebook, field, value):
    notebook.metadata[field].update(value)


KINDS = {
    "cleared outputs or counts": {
        "all": lambda nb, roles: clear(nb),
        "all outputs": lambda nb, roles: clear(nb, counts=False),
        "all counts": lambda nb, roles: clear(nb, outputs=False),
        "one cell's": lambda nb, roles: clear_one(nb, roles, outputs=[], execution_count=None),
        "one cell's outputs": lambda nb, roles: clear_one(nb, roles, outputs=[]),
        "one cell's count": lambda nb, roles: clear_one(nb, roles, execution_count=None),
        "another count of a result": count_a_result,
    },
    "cells deleted, added or reordered": {
        "deleted": lambda nb, roles: delete(nb, roles.prints),
        "deleted, counts renumbered": delete_and_renumber,
        "last one deleted": delete_last,
        "added": add,
        "added as if it had run": add_as_if_run,
        "reordered": reorder,
        "reordered, counts renumbered": reorder_and_renumber,
    },
    "another PNG, or none": {
        "deleted": lambda nb, roles: picture(nb, roles).pop("image/png"),
        "output deleted": lambda nb, roles: at(nb, roles.draws).outputs.pop(),
        "blanked": lambda nb, roles: repainted(picture(nb, roles), blank),
        "one pixel": lambda nb, roles: repainted(picture(nb, roles), paint_a_pixel),
        "mirrored": lambda nb, roles: repainted(picture(nb, roles), ImageOps.mirror),
        "scaled": lambda nb, roles: repainted(picture(nb, roles), lambda i: ImageOps.scale(i, 0.5)),
        "swapped": swap_pictures,
        "as JPEG": to_jpeg,
        "GIF called PNG": lambda nb, roles: repainted(picture(nb, roles), same, format="GIF"),
        "other frames": add_frames,
        "EXIF that turns it": turn_by_exif,
        "truncated": truncate,
    },
    "plotting code": {
        "other data": lambda nb, roles: replaced(nb, *roles.plots),
        "nothing": plot_nothing,
        "taken back": take_back,
        "shown, then another": show_then_update,
    },
    "stored widgets": {
        "a view": store_view,
        "metadata.widgets": store_state,
        "a bare widget": bare_widget,
    },
    "panels": {
        "another fallback": change_fallback,
        "another summary": change_summary,
        "no longer live": no_longer_live,
        "closed by a later cell": close_panel,
        "mark of the live one lost": lose_the_mark,
    },
    "errors": {
        "a tag, and no raise": lambda nb, roles: tag(nb, roles, "raises-exception"),
        "stored, and no raise": store_an_error,
        "raised, and not stored": raise_one,
    },
    "kernelspec or language": {
        "kernel": lambda nb, roles: language(nb, "kernelspec", {"name": "julia-1.11"}),
        "kernel's name on screen": lambda nb, roles: language(
            nb, "kernelspec", {"display_name": "Julia"}
        ),
        "kernel's language": lambda nb, roles: language(nb, "kernelspec", {"language": "julia"}),
        "language": lambda nb, roles: language(nb, "language_info", {"name": "julia"}),
        "none": lambda nb, roles: nb.metadata.pop("kernelspec"),
    },
    "a picture's words": {
        "another picture's": swap_summaries,
        "another digest": another_digest,
        "alternative text": another_alt,
        "width": another_width,
    },
    "words": {
        "a digit edited": edit_words,
        "printed twice": split,
        "to stderr": to_stderr,
        "code of other numbers": lambda nb, roles: replaced(nb, *roles.wrong),
    },
    "not compared": {
        "by a comment": lambda nb, roles: comment(nb, roles, "# NBVAL_IGNORE_OUTPUT"),
        "by an odd comment": lambda nb, roles: comment(nb, roles, "## NBVAL_SKIP"),
        "by a tag": lambda nb, roles: tag(nb, roles, "nbval-ignore-output"),
        "forged in a blank cell": forge_in_a_blank_cell,
        "forged in a raw cell": forge_in_a_raw_cell,
        "collapsed": collapse,
    },
}


# What only notebook 04 can suffer: words and a picture in one cell, a plot without a summary, an
# error that is caught.


def words_after_the_picture(notebook, roles):
    at(notebook, "task").outputs.reverse()


def some_words_after_the_picture(notebook, roles):
    outputs = at(notebook, "task").outputs
    first, rest = outputs[0].text.split(" Y:")
    outputs[0].text = first
    outputs.append(new_output("stream", text=f" Y:{rest}"))


def swap_two_panels(notebook, roles):
    """Show the panel's picture after step 14 as that of step 0, its words left as they are."""
    data = [shown(notebook, name).data for name in ("stepper", "jump")]
    data[0]["image/png"], data[1]["image/png"] = data[1]["image/png"], data[0]["image/png"]


def plot(notebook):
    return shown(notebook, "plot-losses").data


def plot_on_another_scale(notebook, roles):
    replaced(notebook, "plot-losses", ', yscale="log"', "")


def error_no_longer_raised(notebook, roles):
    replaced(notebook, "runaway", "lr=0.05", "lr=0.03")


ONLY_LEARN = {
    "words and pictures reordered": {
        "words after the picture": words_after_the_picture,
        "some words after the picture": some_words_after_the_picture,
    },
    "panels": {"two panels' pictures swapped": swap_two_panels},
    "plotting code": {"another scale": plot_on_another_scale},
    "another PNG, or none": {
        "plot deleted": lambda nb, roles: plot(nb).pop("image/png"),
        "plot blanked": lambda nb, roles: repainted(plot(nb), blank),
        "plot mirrored": lambda nb, roles: repainted(plot(nb), ImageOps.mirror),
    },
    "errors": {"no longer raised": error_no_longer_raised},
}
ONCE = {"another PNG, or none", "a picture's words", "words"}
"""Kinds that notebook 04 suffers in its own ways alone: each takes a run of half of it."""
MUTANTS = [
    *((START, kind, name) for kind, spoils in KINDS.items() for name in spoils),
    *((LEARN, kind, name) for kind in KINDS if kind not in ONCE for name in KINDS[kind]),
    *((LEARN, kind, name) for kind, spoils in ONLY_LEARN.items() for name in spoils),
]


class Watch:
    """Hears what fails in a run of pytest, and the words that say why."""

    def __init__(self):
        self.passed, self.failures = 0, []

    def pytest_runtest_logreport(self, report):
        self.passed += report.passed and report.when == "call"
        if report.failed:
            words = re.sub(r"\x1b\[\d+m", "", report.longreprtext)
            assert "plugin exception" not in words  # a fault of the guard's, and no catch
            why = re.search(r"^Cell (\d+: .*)|^(.+)", words.removeprefix(FAILED), re.MULTILINE)
            self.failures.append((report.nodeid.rpartition("::")[2], why[0]))


def guard(path: Path) -> Watch:
    """Run the guard on one notebook, up to the first fault."""
    heard = Watch()
    options = ["-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", "-x", "-q", "--nbval"]
    pytest.main([*options, str(path)], plugins=[heard])
    return heard


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Give a copy of all notebooks: they link to each other."""
    made = tmp_path_factory.mktemp("project") / "notebooks"
    shutil.copytree(ROOT / "notebooks", made, ignore=shutil.ignore_patterns(".*"))
    return made


@pytest.mark.parametrize("notebook", ROLES)
def test_the_notebook_itself_passes(notebook, folder):
    heard = guard(folder / f"{notebook}.ipynb")
    cells = len(code_cells(nbformat.read(folder / f"{notebook}.ipynb", as_version=4)))
    assert heard.failures == []
    assert heard.passed == cells + 2


@pytest.mark.parametrize(("notebook", "kind", "name"), MUTANTS)
def test_each_mutant_is_caught(notebook, kind, name, folder, tmp_path, record_property):
    mutants = shutil.copytree(folder, tmp_path / "notebooks")
    path = mutants / f"{notebook}.ipynb"
    stored = nbformat.read(path, as_version=4)
    mutant = copy.deepcopy(stored)
    spoil = KINDS.get(kind, {}).get(name) or ONLY_LEARN[kind][name]
    spoil(mutant, ROLES[notebook])
    assert mutant != stored
    nbformat.write(mutant, path)
    heard = guard(path)
    assert heard.failures
    place, why = heard.failures[0]
    row = {"kind": kind, "mutant": name, "notebook": notebook[:2], "where": place, "why": why[:70]}
    record_property("table mutants of notebooks, all caught", row)


def test_there_are_enough():
    assert len(MUTANTS) >= 60
    assert len(Counter(kind for _, kind, _ in MUTANTS)) >= 10
