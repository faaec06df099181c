"""Design rules that ruff, mypy and import-linter cannot express; and proof that each can fail."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tools import api_docs

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "convkit").rglob("*.py"))
SCRIPTS = sorted((ROOT / "convkit").rglob("*.js"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
VIEW_LIBRARIES = {"IPython", "anywidget", "d2l", "ipywidgets", "matplotlib", "torchvision"}

# What could run text that a learner typed, or load a file that runs code.
RUNNERS = {"eval", "exec", "compile", "__import__", "breakpoint"}
RUNNING_MODULES = re.compile(
    r"(builtins|code|codeop|ctypes|dill|joblib|marshal|multiprocessing|pickle|pty|runpy|shelve"
    r"|subprocess)\b|os\.(exec|fork|popen|spawn|startfile|system)"
    r"|torch\.(compile|hub|jit|load|ops)\b|importlib\.(machinery|reload|util)\b|.*\*$"
)
RUNNING_SCRIPT = re.compile(
    r"\b(eval|Function|fetch|XMLHttpRequest|WebSocket|importScripts)\s*\(|\bimport\s*\("
    r"|document\.write|^\s*(import|export)\b.*\bfrom\b|https?://(?!www\.w3\.org/)",
    re.MULTILINE,
)
INSERTED_HTML = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML)\b")
# The script that inserts HTML, all of which convkit.ui.html writes.
INSERT_HTML = {"convkit/ui/static/panel.js"}
# A job that is stopped raises an exception in its thread, which ctypes alone can do; the exercises
# of each notebook are a module, which their package finds.
MAY_RUN = {
    "convkit/exercises/__init__.py": {"import_module of a computed name"},
    "convkit/ui/jobs.py": {"ctypes", "ctypes.c_ulong", "ctypes.py_object", "ctypes.pythonapi"},
}


def in_files(paths: list[Path], check: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """Return what a check finds in each file, without the files in which it finds nothing."""
    found = {p.relative_to(ROOT).as_posix(): check(p.read_text(encoding="utf-8")) for p in paths}
    return {name: faults for name, faults in found.items() if faults}


def names_used(tree: ast.AST) -> Iterator[str]:
    """Yield each imported name and each `module.attribute`, in full."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                yield f"{owner}.{name}"


def running_code(source: str) -> list[str]:
    """Return what in a module could run text, or load an object that does."""
    tree = ast.parse(source)
    found = [name for name in names_used(tree) if RUNNING_MODULES.match(name)]
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in RUNNERS:
                found.append(name)
            case ast.keyword(arg="shell" | "allow_pickle"):
                found.append(node.arg)
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(), *_]):
                pass
            case ast.Call(func=ast.Attribute(attr="import_module")):
                found.append("import_module of a computed name")
    return found


def private_attributes(source: str) -> list[str]:
    """Return each attribute such as `x._name` of anything but `self` and `cls`."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and re.match(r"_(?!_|repr_\w+_$)", node.attr)
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    ]


def loaded(code: str) -> set[str]:
    """Return which of VIEW_LIBRARIES a new Python has loaded after running `code`."""
    ask = f"{code}; import sys; print(*({VIEW_LIBRARIES!r} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def own_members(cls: type) -> dict[str, object]:
    """Return the public methods and properties that a class defines and does not override."""
    members = {name: getattr(value, "__func__", value) for name, value in vars(cls).items()}
    return {
        name: member
        for name, member in members.items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, property))
        and not any(hasattr(base, name) for base in cls.__mro__[1:])
    }


def undocumented(name: str, value: object) -> list[str]:
    """Return the name where its docstring or an example is missing, and its methods' names.

    The example of a method may stand in its own docstring or in that of its class.
    """
    documentation = value.__doc__ or ""
    faults = [] if ">>>" in documentation else [name]
    if not inspect.isclass(value):
        return faults
    for member_name, member in own_members(value).items():
        text = member.__doc__ or ""
        shown = ">>>" in text or re.search(rf"(>>>|\.\.\.) .*\b{member_name}\b", documentation)
        if not text or not shown and not isinstance(member, property):
            faults.append(f"{name}.{member_name}")
    return faults


def public_objects() -> Iterator[tuple[str, object]]:
    """Yield every public class and function with its name."""
    for path in api_docs.PACKAGES:
        package = importlib.import_module(path)
        for name in package.__all__:
            value = getattr(package, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                yield f"{path}.{name}", value


def test_importing_convkit_loads_no_library_of_views_or_widgets():
    assert loaded("import convkit, convkit.exercises") == set()


def test_the_check_of_loaded_libraries_can_fail():
    assert loaded("import matplotlib") == {"matplotlib"}


def test_no_module_runs_text():
    found = in_files(MODULES, running_code)
    assert {name: set(faults) for name, faults in found.items()} == MAY_RUN


def test_no_script_runs_text_or_uses_the_network():
    assert in_files(SCRIPTS, RUNNING_SCRIPT.findall) == {}


def test_few_scripts_insert_html():
    assert in_files(SCRIPTS, INSERTED_HTML.findall).keys() == INSERT_HTML


def test_tests_use_no_private_attribute():
    assert in_files(TESTS, private_attributes) == {}


def test_public_names_have_a_docstring_with_an_example():
    assert [fault for public in public_objects() for fault in undocumented(*public)] == []


def test_the_stored_api_reference_is_current():
    assert api_docs.PAGE.read_text(encoding="utf-8") == api_docs.render(), "run `make docs`"


RUNNING_TEXT = [
    *("value = eval(text)", "list(map(exec, texts))", "__import__(name)", "import subprocess"),
    *("import pickle", "def f():\n    from pickle import loads", "from builtins import eval"),
    *("import os\nos.system(text)", "from os import popen", "os.execv(path, [])"),
    *("X = torch.load(file)", "from torch import load", "from os import *"),
    *("importlib.import_module(name)", "np.load(file, allow_pickle=True)"),
]
RUNNING_NO_TEXT = [
    *("re.compile(pattern)", "layer.eval()", 'importlib.import_module("d2l")'),
    *("from convkit import codegen", "from torch import Tensor", 'print("eval(text)")'),
]
RUNNING_SCRIPTS = [
    *("eval(text)", "new Function(text)", "await fetch(url)"),
    *("new XMLHttpRequest()", "await import(url)", 'import d3 from "https://x.invalid"'),
]
HARMLESS_SCRIPTS = ["export default { render };", "retrieval(x)", "x.textContent"]


def test_the_checks_of_running_text_can_fail_and_pass():
    assert [source for source in RUNNING_TEXT if not running_code(source)] == []
    assert [source for source in RUNNING_NO_TEXT if running_code(source)] == []
    assert [script for script in RUNNING_SCRIPTS if not RUNNING_SCRIPT.search(script)] == []
    assert [script for script in HARMLESS_SCRIPTS if RUNNING_SCRIPT.search(script)] == []


def test_the_check_of_private_attributes_can_fail_and_pass():
    assert private_attributes("panel._store.x") == ["panel._store"]
    assert private_attributes("self.panel._store") == ["self.panel._store"]
    assert private_attributes("self._x\ncls._y\nx._repr_html_()\nx.__dict__") == []


class Example:
    """
    >>> Example().shown()
    """

    def shown(self):
        """Return nothing."""

    def hidden(self):
        """Return nothing."""

    def bare(self): ...


def test_the_check_of_examples_can_fail():
    assert undocumented("f", undocumented) == ["f"]
    assert undocumented("Example", Example) == ["Example.hidden", "Example.bare"]
