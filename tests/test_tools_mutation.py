"""Tests for tools/mutation.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutation import find_tests, make_mutants

ROOT = Path(__file__).parents[1]
MODULE = """\
def add(a: int | None, b: int = 0) -> int:
    if a is None:
        return b
    return a + b
"""
WEAK_TEST = """\
from convkit.numbers import add


def test_add():
    assert add(None, 2) == 2
    assert add(3, 2) == 5
"""
WRONG_TEST = WEAK_TEST + "    assert add(3) == 4\n"


def sources(source: str, seed: int = 0) -> list[str]:
    return [mutant.source for mutant in make_mutants(Path("module.py"), source, seed)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = a and b", {"x = a or b"}),
        ("x = not a", {"x =  a"}),
        ("x = a is not None", {"x = a is None"}),
        ("x = True", {"x = False"}),
        ("x: int | None = f(*a, **b)", set()),
        ("def f(a: int | str) -> int | str: pass", set()),
        ("@cache\ndef f(): pass", {"def f(): pass"}),
        ("x = 0", {"x = 1", "x = -1"}),
        ("x = a << b", {f"x = a {sign} b" for sign in (">>", "&", "|", "^")}),
        ("x = a == b", {f"x = a {sign} b" for sign in ("!=", "<", "<=", ">", ">=")}),
    ],
)
def test_a_place_gets_one_change_of_its_kind(line: str, expected: set[str]) -> None:
    assert {source for seed in range(40) for source in sources(line, seed)} == expected


def test_each_mutant_differs_and_the_seed_repeats_them() -> None:
    first = sources(MODULE, seed=1)
    assert len(set(first)) == 4  # the default, `is`, `if` and `+`
    assert first == sources(MODULE, seed=1)
    assert first != sources(MODULE, seed=2)


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        ("convkit/ops.py", "tests/test_ops.py"),
        ("convkit/state/store.py", "tests/state"),
    ],
)
def test_a_module_has_its_own_tests(
    module: str, tests: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert find_tests(Path(module)) == Path(tests)


def run_tool(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tools.mutation", *arguments]
    inherited = os.environ.get("PYTHONPATH", "")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(project), str(ROOT), inherited])}
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)


def test_survivors_are_counted_and_shown(tmp_path: Path) -> None:
    for folder in ("convkit", "tests"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "convkit" / "numbers.py").write_text(MODULE)
    (tmp_path / "tests" / "test_numbers.py").write_text(WEAK_TEST)

    printed = run_tool(tmp_path, "convkit/numbers.py", "--sample", "0").stdout
    assert printed.splitlines()[1].split()[:4] == ["convkit/numbers.py", "4", "3", "1"]
    assert "+def add(a: int | None, b: int = " in printed
    assert (tmp_path / "convkit" / "numbers.py").read_text() == MODULE

    (tmp_path / "tests" / "test_numbers.py").write_text(WRONG_TEST)
    refused = run_tool(tmp_path, "convkit/numbers.py")
    assert refused.returncode == 1
    assert "tests/test_numbers.py fails on the unchanged convkit/numbers.py" in refused.stderr
