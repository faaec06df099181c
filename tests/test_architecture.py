"""The laws of the house, read from the source files; and proof that each check can fail."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "convkit"
LONGEST_MODULE = 250  # lines

# Which modules make up each room. A new module belongs in one of them.
ROOMS = {
    "errors": {"errors"},
    "maths": {
        *("ops", "layers", "kernels", "images", "descent", "analysis", "spell"),
        *("setting", "experiment", "training"),
    },
    "lens": {"lens", "cells"},
    "draw": {"draw", "chart"},
    "widgets": {"widgets"},
    "exercises": {"exercises"},
    "book": {"book"},
    "convkit": {"__init__"},
}
# Which rooms each may import from besides itself. The views, lens and draw, not each other.
MAY_IMPORT = {
    "errors": set(),
    "maths": {"errors"},
    "lens": {"errors", "maths"},
    "draw": {"errors", "maths"},
    "widgets": {"errors", "maths", "lens", "draw"},
    "exercises": {"errors", "maths"},
    "book": {"errors"},
    "convkit": {"errors", "maths"},
}
# Which libraries each may import besides the standard one.
LIBRARIES = {
    "errors": set(),
    "maths": {"torch"},
    "lens": {"torch"},
    "draw": {"torch", "matplotlib", "numpy", "PIL"},
    "widgets": {"torch", "ipywidgets", "traitlets"},
    "exercises": {"torch"},
    "book": {"torch", "matplotlib_inline"},
    "convkit": set(),
}
# `images` reads picture files with Pillow, and finds matplotlib's photo only when asked for it.
LIBRARIES_OF_MODULE = {"images": {"PIL"}}
LATE_LIBRARIES_OF_MODULE = {"images": {"matplotlib"}}
NOT_LOADED = {"matplotlib", "ipywidgets", "d2l", "IPython", "torchvision"}

# What could run a text: as a bare name, as an attribute of a module, or by an import.
RUNNERS = {"eval", "exec", "compile", "__import__", "breakpoint"}
RUNNERS_OF_MODULE = {
    "os": {"system", "popen", "startfile", "fork"},
    "torch": {"load", "hub", "compile", "jit", "ops"},
    "importlib": {"reload", "util", "machinery"},
}
RUNNING_LIBRARIES = {
    *("builtins", "code", "codeop", "runpy", "subprocess", "pty", "ctypes", "multiprocessing"),
    *("pickle", "marshal", "shelve", "dill", "joblib"),
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def top(path: Path) -> str:
    """Return the module, or the folder, directly under convkit that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def room_of(name: str) -> str | None:
    return next((room for room, members in ROOMS.items() if name in members), None)


def imports(source: str) -> list[tuple[str, bool]]:
    """List every absolute name imported, and whether only late, inside a function."""
    tree = ast.parse(source)
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda))
    late = {id(inner) for function in functions for inner in ast.walk(function)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in late) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            names = [f"{start}.{alias.name}" for alias in node.names]
            found += [(name, id(node) in late) for name in names]
    return found


def import_faults(name: str, source: str) -> list[str]:
    """Say which imports of the module ``name`` (or folder of modules) break a law."""
    room = room_of(name)
    if room is None:
        return [f"{name} is in no room: give it one in ROOMS"]
    early = sys.stdlib_module_names | LIBRARIES[room] | LIBRARIES_OF_MODULE.get(name, set())
    late_too = early | LATE_LIBRARIES_OF_MODULE.get(name, set())
    faults = []
    for imported, late in imports(source):
        first, _, rest = imported.partition(".")
        if first == "convkit":
            target = room_of(rest.partition(".")[0])
            if target not in MAY_IMPORT[room] | {room}:
                faults.append(f"{name} ({room}) imports {imported} ({target})")
        elif not first:
            faults.append(f"{name} imports by a relative name: {imported}")
        elif first not in (late_too if late else early):
            faults.append(f"{name} ({room}) imports the library {first}")
    return faults


def running_faults(source: str) -> list[str]:
    """Say what in a module could run a text, or load an object that does."""
    faults = [
        name
        for name, _ in imports(source)
        if RUNNING_LIBRARIES & set(name.split(".")) or "*" in name
    ]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) if name in RUNNERS:
                faults.append(name)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                starts = module == "os" and name.startswith(("exec", "spawn"))
                if starts or name in RUNNERS_OF_MODULE.get(module, ()):
                    faults.append(f"{module}.{name}")
            case ast.ImportFrom(module=str(module), names=names):
                runs = RUNNERS_OF_MODULE.get(module, set())
                faults += [f"{module}.{alias.name}" for alias in names if alias.name in runs]
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[first, *_]):
                if not isinstance(first, ast.Constant):
                    faults.append("import_module of a name worked out")
            case ast.keyword(arg="shell" | "allow_pickle"):
                faults.append(node.arg)
    return faults


def length_faults(name: str, source: str) -> list[str]:
    lines = len(source.splitlines())
    return [f"{name} has {lines} lines"] if lines > LONGEST_MODULE else []


def loaded(code: str) -> set[str]:
    """Return which of NOT_LOADED a new Python has loaded after running ``code``."""
    ask = f"{code}; import sys; print(*({NOT_LOADED!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(told.stdout.split())


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_import_downward_only(path):
    assert import_faults(top(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_are_short(path):
    assert length_faults(path.name, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_runs_a_text(path):
    assert running_faults(path.read_text(encoding="utf-8")) == []


def test_importing_convkit_loads_no_view_library():
    assert loaded("import convkit") == set()


@pytest.mark.parametrize("room", ["lens", "exercises"])
def test_importing_lens_or_exercises_loads_no_view_library(room):
    assert loaded(f"import convkit.{room}") == set()


def test_no_javascript_of_our_own():
    ours = [p for p in PACKAGE.rglob("*") if p.suffix in {".js", ".mjs", ".ts"}]
    inline = [p for p in MODULES if "<script" in p.read_text(encoding="utf-8")]
    assert ours + inline == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ops", "from convkit.views.lens import lens"),
        ("ops", "from convkit import draw"),
        ("ops", "import convkit.widgets"),
        ("ops", "def f():\n    from convkit import widgets"),
        ("ops", "from . import errors"),
        ("ops", "import numpy"),
        ("ops", "import PIL"),
        ("images", "import matplotlib"),
        ("lens", "from convkit.views.plots import show"),
        ("draw", "from convkit.views.html import cells"),
        ("lens", "import matplotlib"),
        ("draw", "import ipywidgets"),
        ("widgets", "from convkit.exercises import check"),
        ("widgets", "import matplotlib"),
        ("exercises", "from convkit.views.plots import show"),
        ("book", "from convkit.ops import corr2d"),
        ("__init__", "from convkit import lens"),
        ("unheard_of", ""),
    ],
)
def test_the_import_check_can_fail(name, source):
    assert len(import_faults(name, source)) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("images", "def f():\n    from matplotlib import cbook"),
        ("widgets", "from convkit import draw\nfrom convkit.views.lens import lens"),
    ],
)
def test_the_import_check_can_pass(name, source):
    assert import_faults(name, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "value = eval(text)",
        "exec(text)",
        "run = eval",
        "list(map(eval, texts))",
        "compile(text, '', 'eval')",
        "__import__(name)",
        "import builtins",
        "from builtins import eval as read",
        "import pickle",
        "def f():\n    from pickle import loads",
        "import subprocess",
        "from multiprocessing import pool",
        "import os\nos.system(text)",
        "from os import popen",
        "os.execv(path, [])",
        "X = torch.load(file)",
        "from torch import load",
        "importlib.import_module(name)",
        "np.load(file, allow_pickle=True)",
        "from os import *",
    ],
)
def test_the_check_of_running_texts_can_fail(source):
    assert len(running_faults(source)) >= 1


@pytest.mark.parametrize(
    "source",
    [
        "re.compile(pattern)",
        "layer.eval()",
        'importlib.import_module("d2l")',
        "int(text) / float(text)",
        "from torch import Tensor",
        'print("eval(text)")',
    ],
)
def test_the_check_of_running_texts_can_pass(source):
    assert running_faults(source) == []


def test_the_length_check_can_fail():
    assert length_faults("long", "x\n" * LONGEST_MODULE) == []
    assert length_faults("long", "x\n" * (LONGEST_MODULE + 1)) != []


def test_the_loading_check_can_fail():
    assert loaded("import matplotlib") == {"matplotlib"}
