"""Panels, driven as a learner drives them: parts are found by accessible name.

driver = PanelDriver(KernelEditor())
driver.type("K[0, 0]", "5")
driver.press("undo")
assert driver.box("K[0, 0]") == "−1"
"""

from bs4 import Tag

from convkit.ui.nodes import Node
from tests.ui.driver import Page


class PanelDriver(Page):
    """A page that shows a panel, and what a learner reads on it."""

    def node(self, name: str) -> Node:
        """Return the node whose name or label starts with `name`."""
        named = [
            n
            for n in self.panel.tree
            if name in (n.name, str(n.props.get("aria_label", ""))[: len(name)])
        ]
        assert len(named) == 1, (name, [n.name for n in self.panel.tree if n.name])
        return named[0]

    def has(self, name: str) -> bool:
        """Return whether there is a node of this name."""
        return any(node.name == name for node in self.panel.tree)

    def element(self, name: str) -> Tag:
        """Return the control with an accessible name."""
        found = self.html.find_all(attrs={"aria-label": name})
        assert len(found) == 1, (name, found)
        return found[0]

    def box(self, name: str) -> str:
        """Return what a box says."""
        return str(self.element(name)["value"])

    def value(self, name: str) -> float:
        """Return the number that a box says."""
        return float(self.box(name).replace("−", "-"))

    def chosen(self, name: str) -> str:
        """Return the option of a list that is chosen."""
        return self.element(name).find("option", selected=True).get_text()

    @property
    def text(self) -> str:
        """All words on the page, with ordinary spaces."""
        return " ".join(self.html.get_text(" ").split())

    def can_press(self, name: str) -> bool:
        """Return whether a button does anything."""
        return self.element(name)["aria-disabled"] == "false"

    def open(self, title: str, is_open: bool = True) -> None:
        """Open or close a section."""
        self.send(self.find(f"{title} section").key, "set", is_open)

    def focus(self, name: str) -> dict:
        """Move the focus to a number box: another step of undo."""
        self.leave()
        grid, cell = name.rstrip("]").split("[")
        (node,) = [n for n in self.panel.tree if n.kind == "numbers" and n.symbol == grid]
        return self.send(node.key, "focus", {"cell": [int(n) for n in cell.split(",")]})
