"""The tools that try other versions notice a pin that is missing and a text that differs."""

import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import pins
from tools.matrix import VARIED, changed_cells, oldest, ranges
from tools.notebooks import store

PAGE = """\
<a href="anywhere-1.0-py3-none-any.whl">anywhere</a>
<a href="newer-1.0-py3-none-any.whl" data-requires-python="&gt;=3.11.5">newer</a>
<a href="windows-1.0-py3-none-win_amd64.whl">windows</a>
"""
WHEELS = ("anywhere-1.0-py3-none-any", "newer-1.0-py3-none-any", "windows-1.0-py3-none-win_amd64")
PINS = ["anywhere==1.0", "newer==1.0", "windows==1.0"]


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Let pip see three small wheels and no index."""
    for stem in WHEELS:
        name = stem.partition("-")[0]
        with zipfile.ZipFile(tmp_path / f"{stem}.whl", "w") as wheel:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            wheel.writestr(f"{name}-1.0.dist-info/METADATA", metadata)
            wheel.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
            wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")
    (tmp_path / "index.html").write_text(PAGE)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (tmp_path / "index.html").as_uri())


@pytest.mark.parametrize(
    ("python", "system", "missing"),
    [
        ("3.11.0", "Linux", ["newer==1.0", "windows==1.0"]),
        ("3.12.0", "Windows", []),
    ],
)
def test_missing_pins_are_found(index, python, system, missing):
    target = pins.target_options(python, system)
    assert pins.resolve(PINS, target) == (missing, [])


def test_a_large_pin_is_looked_up_without_a_download(index):
    target = pins.target_options("3.11.0", "Windows")
    assert [pin for pin in PINS if pins.is_listed(pin, target)] == ["anywhere==1.0", "windows==1.0"]


def test_packages_built_from_source_are_named():
    packages = [
        {"metadata": {"name": name}, "download_info": {"url": f"https://example.invalid/{file}"}}
        for name, file in (("a", "a-1.0.tar.gz"), ("b", "b-1.0-py3-none-any.whl"))
    ]
    assert pins.built_from_source({"install": packages}) == ["a"]


def test_another_error_of_pip_is_raised(index):
    with pytest.raises(RuntimeError, match="Invalid requirement"):
        pins.resolve(["not a requirement"], [])


def test_the_oldest_version_of_a_range():
    assert oldest("numpy>=1.26,<3") == "numpy==1.26"


def test_each_varied_package_has_an_oldest_version():
    assert [oldest(line).split("==")[0] for line in ranges(VARIED)] == list(VARIED)


def test_text_that_differs_is_found(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = [new_code_cell("x = 1", id="quiet"), new_code_cell("print(x)\nx", id="loud")]
    nbformat.write(new_notebook(cells=cells), path)
    store(path)
    assert changed_cells(path) == []
    path.write_text(path.read_text().replace('"1"', '"2"'))
    assert changed_cells(path) == ["loud"]
