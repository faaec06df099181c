"""Run notebooks in a new kernel and store them, the same way every time.

    python -m tools.notebooks notebooks/*.ipynb

Stored are sources, execution counts, the ids of the cells that ran, and every output, except the
live view of a widget: JupyterLab would show it as an error until the cell runs again, so a mark
takes its place. An output that answers a "Predict first" is collapsed: running its cell opens it.
Whatever differs from one run to the next is removed. An exception, or an error
that a handler only logged, is named with its cell, and the file stays as it was.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# What the kernel says of its language, with the project's settings: ipython_kernel_config.py.
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3",
}
CELL_TIMEOUT_S = 120
KEPT_CELL_METADATA = ("tags",)
PREDICT = "**Predict first:**"
"""In the text above cells whose outputs are the answer, which are therefore stored collapsed."""


class NotebookError(Exception):
    """A notebook that cannot be stored; the message names its file and cell."""


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells that hold code, in order."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def run(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in a new kernel that works in `folder`; the outputs go into `notebook`."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name=KERNELSPEC["name"],
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
    )
    client.execute()


def check(notebook: NotebookNode) -> None:
    """Raise NotebookError if a cell stores an error or text of stderr, as failed handlers do."""
    for number, cell in enumerate(code_cells(notebook), start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                raise NotebookError(f"code cell {number} raised {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                raise NotebookError(f"code cell {number} wrote to stderr:\n{output.text}")


def clean(notebook: NotebookNode) -> None:
    """Remove what differs from run to run and what no viewer can show; join split streams."""
    notebook.metadata = metadata_of(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    text_above = ""
    for cell in notebook.cells:
        kept = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if key in cell.metadata}
        if cell.cell_type == "markdown":
            text_above = cell.source
        if cell.cell_type == "code":
            cell.outputs = as_stored(cell.outputs)
            if PREDICT in text_above and not (is_live(cell) or is_question(cell)):
                kept |= {"collapsed": True, "jupyter": {"outputs_hidden": True}}
        cell.metadata = nbformat.from_dict(kept)


def is_live(cell: NotebookNode) -> bool:
    """Return whether a code cell shows a panel, which asks and does not answer."""
    return any(output.get("metadata", {}).get("live") for output in cell.outputs)


def is_question(cell: NotebookNode) -> bool:
    """Return whether a code cell shows a question with choices."""
    pages = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
    return any('class="ck-question"' in page for page in pages)


def metadata_of(notebook: NotebookNode) -> NotebookNode:
    """Return the metadata that a notebook is stored with: its language, and which cells ran."""
    return nbformat.from_dict(
        {
            "convkit": {"ran": [cell.id for cell in code_cells(notebook)]},
            "kernelspec": KERNELSPEC,
            "language_info": LANGUAGE_INFO,
        }
    )


def as_stored(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return a cell's outputs with streams joined and live widget views replaced by a mark."""
    stored = _joined(outputs)
    for output in stored:
        if output.get("data", {}).pop(WIDGET_VIEW, None):
            output.metadata["live"] = True
    return stored


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and _same_stream(joined[-1], output):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _same_stream(first: NotebookNode, second: NotebookNode) -> bool:
    kinds = {first.output_type, second.output_type}
    return kinds == {"stream"} and first.name == second.name


def read(path: Path) -> NotebookNode:
    """Return the notebook at `path`; raise NotebookError where there is none."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise NotebookError(f"{path} cannot be read: {reason}") from error


def store(path: Path) -> None:
    """Run the notebook at `path` and write it back; raise NotebookError if that fails."""
    notebook = read(path)
    for number, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{number:02d}")
    try:
        run(notebook, path.parent)
        check(notebook)
    except (CellExecutionError, NotebookError) as error:
        raise NotebookError(f"{path}: {error}") from error
    clean(notebook)
    nbformat.validate(notebook)
    temporary = path.with_suffix(".ipynb.new")
    nbformat.write(notebook, temporary)
    os.replace(temporary, path)


def main(paths: Iterable[str]) -> int:
    """Store each notebook; return 1 if one failed, which is named and left as it was."""
    failed = 0
    for path in paths:
        print(path, flush=True)
        try:
            store(Path(path))
        except NotebookError as error:
            print(error, file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
