"""The tool that runs the notebooks with other versions sees words that differ."""

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tools.matrix import VARIED, differing, oldest, ranges
from tools.notebooks import store


def test_the_oldest_version_of_a_range():
    assert oldest("numpy>=1.26,<3") == "numpy==1.26"


def test_each_varied_package_has_a_range_with_a_beginning():
    assert [oldest(line).split("==")[0] for line in ranges(VARIED)] == list(VARIED)


def test_words_that_differ_are_found(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = [new_code_cell("x = 1", id="quiet"), new_code_cell("print(x)\nx", id="loud")]
    nbformat.write(new_notebook(cells=cells), path)
    store(path)
    assert differing(path) == []
    path.write_text(path.read_text().replace('"1"', '"2"'))
    assert differing(path) == ["loud"]
