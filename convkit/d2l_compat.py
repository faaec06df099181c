"""The book's package, d2l, made ready to import: ``from convkit.d2l_compat import d2l``.

Two things stand between a current Python and d2l 1.0.3. Its ``torch`` module needs
torchvision, and a torchvision whose compiled operators do not fit the installed torch stops
at its own first line; torchvision also takes a second to import, so it waits until it is used.
And d2l draws SVG figures, which hold dates and random ids, so that no two runs give the same
output. Both are fixed here; an installation that works is left alone.
"""

import importlib
import pkgutil
import sys
import warnings
from types import ModuleType
from typing import Any

import torch

from convkit.errors import ConvkitError

__all__ = ["d2l"]

D2L_PIN = "d2l==1.0.3"
NEEDED = {
    "IPython": "ipython",
    "PIL": "pillow",
    "matplotlib": "matplotlib",
    "matplotlib_inline": "matplotlib-inline",
    "numpy": "numpy",
    "pandas": "pandas",
    "requests": "requests",
    "scipy": "scipy",
    "torchvision": "torchvision",
    "d2l": "d2l",
}
"""What the book's package imports, beside torch, and what pip calls each."""
_MISSING_OPERATOR = "operator torchvision::nms does not exist"
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept_alive: list[torch.library.Library] = []  # a Library takes its operators with it


def import_torchvision() -> None:
    """Import torchvision; supply two operator schemas only where it fails without them.

    Examples
    --------
    >>> import_torchvision()
    """
    try:
        with warnings.catch_warnings():
            # An older torchvision says so where the system lacks libjpeg; d2l reads with Pillow.
            warnings.filterwarnings("ignore", "Failed to load image Python extension", UserWarning)
            importlib.import_module("torchvision")
    except RuntimeError as error:
        if _MISSING_OPERATOR not in str(error):
            raise
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        library.define(f"nms{_SCHEMA}")
        library.define(f"qnms{_SCHEMA}")
        _kept_alive.append(library)
        importlib.import_module("torchvision")


class _Deferred(ModuleType):
    """Stands for a module of torchvision, which is imported when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system looks for
            raise AttributeError(name)
        try:
            import_torchvision()
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        return getattr(sys.modules[self.__name__], name)


def _import_book() -> ModuleType:
    """Import d2l.torch, without torchvision unless that is imported already."""
    if "torchvision" in sys.modules:
        return importlib.import_module("d2l.torch")
    torchvision = _Deferred("torchvision")
    vars(torchvision)["transforms"] = _Deferred("torchvision.transforms")
    sys.modules["torchvision"] = torchvision
    try:
        return importlib.import_module("d2l.torch")
    finally:
        del sys.modules["torchvision"]


def _use_png_display() -> None:
    """Show figures as PNG; stands in for d2l's ``use_svg_display``."""
    from matplotlib_inline import backend_inline

    backend_inline.set_matplotlib_formats("png")


def _missing_names(error: ModuleNotFoundError) -> list[str]:
    """Return what is not installed of what the book needs, d2l itself last."""
    there = {module.name for module in pkgutil.iter_modules()}
    blocked = {name for name, module in sys.modules.items() if module is None}
    named = (error.name or "d2l").partition(".")[0]
    return [n for n in NEEDED if n == named or n not in there or n in blocked] or [named]


def _missing(error: ModuleNotFoundError) -> ConvkitError:
    names = _missing_names(error)
    others = " ".join(NEEDED.get(name, name) for name in names if name != "d2l")
    installs = [others] if others else []
    if "d2l" in names:
        installs.append(f"--no-deps {D2L_PIN}")
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    commands = " && ".join(f"{python} -m pip install {what}" for what in installs)
    return ConvkitError(
        f"not installed: {', '.join(names)}",
        "the book's package d2l and what it imports",
        f"Run this in a terminal, then restart the kernel: {commands}",
    )


def load() -> ModuleType:
    """Return ``d2l.torch``, ready to use.

    Returns
    -------
    module
        The book's helpers for PyTorch, drawing PNG figures.

    Raises
    ------
    ConvkitError
        Where d2l, or a package that it imports, is not installed; names all that is missing, and
        the command that installs it.

    Examples
    --------
    >>> load().corr2d(torch.eye(2), torch.ones(1, 2))
    tensor([[1.],
            [1.]])
    """
    try:
        importlib.import_module("d2l")
        book = _import_book()
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    # d2l.d2l is the same module: both names are set.
    vars(book)["use_svg_display"] = _use_png_display
    return book


d2l = load()
"""The book's package for PyTorch, ready to use; it draws PNG figures."""
