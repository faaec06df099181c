"""The book's package: helpers that work, PNG figures, and each way its import can go."""

import subprocess
import sys

import pytest
import torch

from convkit.d2l_compat import D2L_PIN


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=120
    )


def test_corr2d_gives_the_books_numbers():
    from convkit.d2l_compat import d2l

    X, K = torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)
    torch.testing.assert_close(d2l.corr2d(X, K), torch.tensor([[19.0, 25.0], [37.0, 43.0]]))


def test_plot_shows_png_and_no_svg(monkeypatch):
    from convkit.d2l_compat import d2l

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
    result = run("from convkit.d2l_compat import d2l; print(d2l.__name__)")
    assert (result.stdout, result.stderr) == ("d2l.torch\n", "")


@pytest.mark.parametrize(
    ("blocked", "install"), [("d2l", f"--no-deps {D2L_PIN}"), ("pandas", "pandas")]
)
def test_a_missing_package_names_the_command_that_installs_it(blocked, install):
    result = run(f"import sys; sys.modules[{blocked!r}] = None; import convkit.d2l_compat")
    assert result.returncode == 1
    message = result.stderr.strip().splitlines()[-1]
    assert message.startswith("convkit.errors.ConvkitError: ")
    assert f"package {blocked} is not installed" in message
    assert message.endswith(f"{sys.executable} -m pip install {install}")


# Stand-ins for d2l and torchvision: what importing torchvision does is decided by the test,
# so that both ways are tried whichever build of torchvision is installed.
STAND_IN = """
import sys, types, torch
for name in ("d2l", "d2l.torch", "torchvision"):
    sys.modules[name] = types.ModuleType(name)
from convkit import d2l_compat as book
calls = []
def stand_in(name):
    calls.append(name)
    if len(calls) == 1:
        {first_import}
book.importlib = type("importlib", (), dict(import_module=staticmethod(stand_in)))
"""


def test_a_torchvision_that_works_is_left_alone():
    code = STAND_IN.format(first_import="pass") + (
        "book._import_torchvision(); print(calls, book._kept_alive)"
    )
    assert run(code).stdout == "['torchvision'] []\n"


def test_a_torchvision_without_its_operators_is_mended():
    failure = (
        "sys.modules['torchvision.half'] = sys; "
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    code = STAND_IN.format(first_import=failure) + (
        "book._import_torchvision()\n"
        "print(len(calls), 'torchvision.half' in sys.modules, len(book._kept_alive),"
        " torch.ops.torchvision.nms.default, torch.ops.torchvision.qnms.default)"
    )
    result = run(code)
    assert result.stdout == "2 False 1 torchvision.nms.default torchvision.qnms.default\n", (
        result.stderr
    )


def test_another_failure_of_torchvision_is_not_hidden():
    code = STAND_IN.format(first_import="raise RuntimeError('something else')") + (
        "book._import_torchvision()"
    )
    result = run(code)
    assert result.stderr.endswith("RuntimeError: something else\n")
    assert result.returncode == 1
