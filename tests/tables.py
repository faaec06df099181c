"""Tables that tests fill, row by row, and that pytest prints at its end.

    record_property("table pictures", {"name": "bomb.png", "came of it": "refused"})

Rows of one table share their columns. They reach the end from pytest-xdist's workers, too.
"""

from pytest import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print every table, its rows in the order in which their tests ended."""
    tables: dict[str, list[dict[str, object]]] = {}
    for report in [report for kind in terminalreporter.stats.values() for report in kind]:
        if getattr(report, "when", None) == "teardown":  # every test has one, and only one
            for name, row in report.user_properties:
                if name.startswith("table "):
                    tables.setdefault(name.removeprefix("table "), []).append(row)
    for name, rows in sorted(tables.items()):
        terminalreporter.section(name)
        lines = [tuple(rows[0]), *(tuple(str(cell) for cell in row.values()) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = zip(line, widths, strict=True)
            terminalreporter.line("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
