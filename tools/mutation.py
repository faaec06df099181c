"""Measure how many small bugs, put into the library one at a time, its unit tests find.

    python -m tools.mutation                              40 mutants of each module
    python -m tools.mutation convkit/ops.py --sample 0    a mutant at each place of one module

cosmic-ray's operators make the mutants: `<` for `<=`, 1 for 0, a removed decorator. A mutant is
loaded from memory in a fork of this process, which has already imported torch: no file changes,
and a run costs no more than the tests themselves. A mutant that the tests pass with has survived;
the survivors are printed as diffs. Some are equivalent to the original, so 100 % is not the goal.
"""

import argparse
import ast
import difflib
import importlib
import os
import random
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import islice
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from cosmic_ray.ast import Visitor, ast_nodes, get_ast
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.tree import NodeOrLeaf

MODULES = (
    "convkit/ops.py",
    "convkit/layers.py",
    "convkit/kernels.py",
    "convkit/images.py",
    "convkit/least_squares.py",
    "convkit/descent.py",
    "convkit/formatting.py",
    "convkit/codegen.py",
    "convkit/user_function.py",
    "convkit/inputs.py",
    "convkit/ui/cursors.py",
    "convkit/ui/fields.py",
    "convkit/ui/store.py",
    "convkit/ui/typed.py",
    "convkit/panels/_descent_stepper_state.py",
    "convkit/panels/_kernel_editor_state.py",
    "convkit/exercises/_answers.py",
    "convkit/exercises/_grading.py",
)
# What the tests import; loaded once, before the forks.
PRELOADED = ("hypothesis", "numpy", "PIL.Image", "scipy.signal", "torch", "torch.testing")
# cosmic-ray's names. An operator is replaced by one of its own kind only: `x << 0.5` fails at once
# and `n is 1` changes nothing, so such mutants would say nothing about the tests.
KINDS = ({"Is", "IsNot"}, {"RShift", "LShift", "BitOr", "BitAnd", "BitXor"})
MEMORY_LIMIT = 8 * 2**30  # bytes
UNCHANGED_LIMIT = 600  # seconds of the processor
LINE = "{:<34}{:>8}{:>8}{:>10}{:>7}{:>9}"


@dataclass(frozen=True)
class Mutant:
    """A module's source with one small change."""

    module: Path
    original: str
    source: str

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = self.original.splitlines(), self.source.splitlines()
        names = str(self.module), "mutant"
        return "\n".join(difflib.unified_diff(old, new, *names, lineterm="", n=2))


@dataclass(frozen=True)
class Report:
    """What the tests of a module found."""

    module: Path
    mutants: int
    survivors: tuple[Mutant, ...]
    seconds: float

    @property
    def killed(self) -> int:
        """The number of mutants that failed a test, or ran out of time or memory."""
        return self.mutants - len(self.survivors)


# Making mutants


class Mutator(Visitor):
    """Applies an operator to one of the places where it fits, counted from 0."""

    def __init__(self, operator: Operator, occurrence: int) -> None:
        self.operator = operator
        self.left = occurrence

    def visit(self, node: NodeOrLeaf) -> NodeOrLeaf | None:
        """Return the node, changed if it is the one."""
        for index, _ in enumerate(list(self.operator.mutation_positions(node))):
            if self.left == 0:
                node = self.operator.mutate(node, index)
            self.left -= 1
        return node


def operators() -> Iterator[type[Operator]]:
    """Yield cosmic-ray's operators that need no arguments and stay within their kind."""
    provider = OperatorProvider()
    for operator in map(provider.__getitem__, provider):
        names = operator.__name__.split("_")[1:]
        same_kind = all(len(kind.intersection(names)) in (0, len(names)) for kind in KINDS)
        if same_kind and not operator.arguments():
            yield operator


def find_places(source: str) -> list[list[tuple[type[Operator], int]]]:
    """Return, of each place in a source, the (operator, occurrence) pairs that change it."""
    nodes = list(ast_nodes(get_ast(source)))
    places = defaultdict(list)
    for operator in operators():
        found = (start for node in nodes for start, _ in operator().mutation_positions(node))
        family = operator.__name__.split("_")[0]
        for occurrence, start in enumerate(found):
            places[start, family].append((operator, occurrence))
    return [places[key] for key in sorted(places)]


def meaning(source: str) -> str | None:
    """Return what a source does, as text: its syntax tree without annotations; None if invalid."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if hasattr(node, "annotation"):
            node.annotation = None
        if hasattr(node, "returns"):
            node.returns = None
    return ast.dump(tree)


def change(source: str, operator: type[Operator], occurrence: int) -> str:
    """Return a source with an operator applied at one of the places where it fits."""
    return Mutator(operator(), occurrence).walk(get_ast(source)).get_code()


def make_mutants(module: Path, source: str, seed: int) -> Iterator[Mutant]:
    """Yield mutants of a module in random order, at most one at each place."""
    not_mutants = (None, meaning(source))
    rng = random.Random(seed)
    places = find_places(source)
    rng.shuffle(places)
    for changes in places:
        rng.shuffle(changes)
        changed = (change(source, *pair) for pair in changes)
        mutant = next((code for code in changed if meaning(code) not in not_mutants), None)
        if mutant is not None:
            yield Mutant(module, source, mutant)


# Testing them


class MutantFinder(MetaPathFinder):
    """Imports one module from memory."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = ".".join(mutant.module.with_suffix("").parts)
        self.source = mutant.source

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module where it is, but load it from the mutant's source."""
        if name != self.name:
            return None
        spec = PathFinder.find_spec(name, path, target)
        spec.loader = MutantLoader(name, spec.origin, self.source)
        return spec


class MutantLoader(SourceFileLoader):
    """Loads a module from memory."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled mutant."""
        return compile(self.source, self.path, "exec")


class NoShrinking:
    """A pytest plugin: one failing example is enough, hypothesis need not look for the smallest."""

    def pytest_collection(self) -> None:
        """Change the profile that tests/conftest.py has loaded."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        changes = {"phases": phases, "report_multiple_bugs": False}
        settings.register_profile("mutation", settings(), **changes)
        settings.load_profile("mutation")


def run_tests(mutant: Mutant, tests: Path, seconds: int) -> int:
    """Run tests on a mutant, silently, up to the first that fails; return pytest's exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    # The processor's time, which does not depend on what else runs; the clock only if it sleeps.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    signal.alarm(10 * seconds)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.dup2(null, sys.stderr.fileno())
    sys.meta_path.insert(0, MutantFinder(mutant))
    options = ["-q", "-x", "-p", "no:cacheprovider", "-o", "addopts="]
    return pytest.main([*options, str(tests)], plugins=[NoShrinking()])


def survives(mutant: Mutant, tests: Path, seconds: int) -> tuple[bool, float]:
    """Run tests on a mutant in a fork; return whether they pass, and the processor's seconds."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = run_tests(mutant, tests, seconds)
        finally:
            os._exit(code)
    _, status, usage = os.wait4(pid, 0)
    return status == 0, usage.ru_utime + usage.ru_stime


def time_unchanged(modules: Sequence[Path]) -> dict[Path, float]:
    """Return how long each module's tests take (processor's seconds); stop where some fail."""
    times, failed = {}, []
    for module in modules:
        source = module.read_text(encoding="utf-8")
        unchanged = Mutant(module, source, source)
        passed, times[module] = survives(unchanged, find_tests(module), UNCHANGED_LIMIT)
        if not passed:
            failed.append(f"{find_tests(module)} fails on the unchanged {module}")
    if failed:
        raise SystemExit("\n".join(failed))
    return times


def measure(module: Path, sample: int, seed: int, unchanged_seconds: float) -> Report:
    """Test mutants of a module: a sample, or with sample 0 all of them."""
    started = time.monotonic()
    tests = find_tests(module)
    limit = 10 + 5 * round(unchanged_seconds)
    source = module.read_text(encoding="utf-8")
    mutants = list(islice(make_mutants(module, source, seed), sample or None))
    survivors = tuple(mutant for mutant in mutants if survives(mutant, tests, limit)[0])
    return Report(module, len(mutants), survivors, time.monotonic() - started)


def find_tests(module: Path) -> Path:
    """Return a module's unit tests: tests/test_<module>.py, or those of its subpackage."""
    package = module.parts[1:-1]
    if not package:
        return Path("tests", f"test_{module.stem}.py")
    folder = Path("tests", *package)
    return folder if folder.exists() else folder.with_name(f"test_{folder.name}.py")


# Reporting


def print_reports(reports: Iterable[Report]) -> None:
    """Print a line of each report as soon as there is one; then the total and the survivors."""
    print(LINE.format("module", "mutants", "killed", "survived", "score", "minutes"))
    done = []
    for report in reports:
        done.append(report)
        print_line(str(report.module), [report])
    print_line("total", done)
    for report in done:
        for mutant in report.survivors:
            print(f"\n{mutant.diff}")


def print_line(name: str, reports: Sequence[Report]) -> None:
    """Print a line of the table: the sums over reports."""
    mutants = sum(report.mutants for report in reports)
    killed = sum(report.killed for report in reports)
    minutes = sum(report.seconds for report in reports) / 60
    score = f"{killed / mutants:.0%}" if mutants else "-"
    line = LINE.format(name, mutants, killed, mutants - killed, score, f"{minutes:.1f}")
    print(line, flush=True)


def expand(patterns: Iterable[str]) -> list[Path]:
    """Return the files that patterns match, but for __init__.py."""
    found = []
    for pattern in patterns:
        matches = sorted(Path().glob(pattern))
        if not matches:
            raise SystemExit(f"no file matches {pattern}")
        found += [path for path in matches if path.name != "__init__.py"]
    return found


def main() -> None:
    """Read the arguments, test, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=MODULES, help="such as convkit/ops.py")
    parser.add_argument("--sample", type=int, default=40, help="mutants per module (0: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    args = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    for name in PRELOADED:
        importlib.import_module(name)
    times = time_unchanged(expand(args.modules))
    print_reports(measure(path, args.sample, args.seed, times[path]) for path in times)


if __name__ == "__main__":
    main()
