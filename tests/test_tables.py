"""Tables of rows from many tests, printed once at the end."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TESTS = """
import pytest

@pytest.mark.parametrize("n", range(3))
def test_rows(record_property, n):
    record_property("table squares", {"n": n, "its square": n**2, "words": "long " * n})
    record_property("another property", n)
    assert n != 2

def test_none():
    pass
"""


def test_rows_of_several_workers_become_one_table(tmp_path):
    (tmp_path / "conftest.py").write_text("from tests.tables import pytest_terminal_summary")
    (tmp_path / "test_rows.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--tb=no", tmp_path],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert "1 failed, 3 passed" in told.stdout, told.stdout + told.stderr
    head, *rows = told.stdout.partition(" squares ")[2].partition("\n==")[0].splitlines()[1:]
    assert head == "n  its square  words"
    assert sorted(rows) == ["0  0", "1  1           long", "2  4           long long"]
    assert "another property" not in told.stdout
