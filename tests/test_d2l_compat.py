"""The book's package: helpers that work, PNG figures, and each way its import can go."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from convkit import ConvkitError
from convkit.d2l_compat import D2L_PIN, NEEDED, d2l, import_torchvision, load


def test_corr2d_gives_the_books_numbers():
    X, K = torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)
    torch.testing.assert_close(d2l.corr2d(X, K), torch.tensor([[19.0, 25.0], [37.0, 43.0]]))


def test_plot_shows_png_and_no_svg(monkeypatch):
    chosen = []
    monkeypatch.setattr(
        "matplotlib_inline.backend_inline.set_matplotlib_formats", lambda *f: chosen.extend(f)
    )
    figures = sys.modules["matplotlib.pyplot"]
    figures.switch_backend("agg")
    d2l.plot([0, 1], [[0, 1]], "x", "y")
    d2l.use_svg_display()
    d2l.d2l.set_figsize()
    figures.close("all")
    assert set(chosen) == {"png"}


def test_importing_says_nothing():
    command = [sys.executable, "-W", "always", "-c", "import convkit.d2l_compat"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("blocked", "given", "installs"),
    [
        (["d2l"], "d2l", [f"--no-deps {D2L_PIN}"]),
        (["pandas"], "pandas", ["pandas"]),
        (
            ["torchvision", "scipy", "pandas"],
            "pandas, scipy, torchvision",
            ["pandas scipy torchvision"],
        ),
        (["PIL", "d2l"], "PIL, d2l", ["pillow", f"--no-deps {D2L_PIN}"]),
    ],
    ids=str,
)
def test_missing_packages_are_named_at_once_with_what_installs_them(
    monkeypatch, blocked, given, installs
):
    for name in [name for name in sys.modules if name.partition(".")[0] == "d2l"]:
        monkeypatch.delitem(sys.modules, name)
    for name in blocked:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConvkitError) as error:
        load()
    assert error.value.given == f"not installed: {given}"
    commands = " && ".join(f"{sys.executable} -m pip install {what}" for what in installs)
    assert error.value.hint.endswith(f"restart the kernel: {commands}")


def test_what_the_book_imports_is_all_looked_for():
    source = Path(importlib.import_module("d2l.torch").__file__).read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:import|from) (\w+)", source, re.MULTILINE))
    assert imported - sys.stdlib_module_names - {"torch"} == set(NEEDED) - {"d2l"}


@pytest.fixture
def first_import(monkeypatch):
    """Give a function that lets the first import of torchvision fail, and the imports since."""
    imported, errors = [], []

    def import_module(name):
        imported.append(name)
        if name == "torchvision" and errors:
            sys.modules["torchvision.half"] = sys
            raise errors.pop()
        return SimpleNamespace()

    def fail_with(text):
        errors.append(RuntimeError(text))
        return imported

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    return fail_with


def test_a_torchvision_without_its_operators_is_mended(first_import, monkeypatch):
    real = torch.library.Library
    monkeypatch.setattr(torch.library, "Library", lambda name, kind: real(f"{name}_test", kind))
    imported = first_import("operator torchvision::nms does not exist")
    import_torchvision()
    assert imported == ["torchvision", "torchvision"]
    assert "torchvision.half" not in sys.modules
    for operator in (torch.ops.torchvision_test.nms, torch.ops.torchvision_test.qnms):
        with pytest.raises(NotImplementedError, match=str(operator.default).split(".")[1]):
            operator(torch.ones(1, 4), torch.ones(1), 0.5)


def test_another_failure_of_torchvision_is_not_hidden(first_import):
    imported = first_import("something else")
    with pytest.raises(RuntimeError, match="something else"):
        import_torchvision()
    assert imported == ["torchvision"]


def test_torchvision_is_imported_when_the_book_uses_it():
    code = (
        "import sys; from convkit.d2l_compat import d2l\n"
        "assert 'torchvision' not in sys.modules and 'torch._dynamo' not in sys.modules\n"
        "resize = d2l.transforms.Resize((2, 2))\n"
        "import torchvision\n"
        "assert d2l.torchvision.transforms.Resize is type(resize) is torchvision.transforms.Resize"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_missing_torchvision_is_named_when_the_book_uses_it():
    code = (
        "import sys; from convkit.d2l_compat import d2l\n"
        "sys.modules['torchvision'] = None\n"
        "try:\n    d2l.torchvision.datasets\n"
        "except Exception as error:\n    print(type(error).__name__, error.given)"
    )
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert told == "ConvkitError not installed: torchvision\n"
