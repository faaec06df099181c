"""Stored HTML as a site shows it that drops style, class, id and script."""

from bs4 import BeautifulSoup

INLINE = {"a", "b", "code", "em", "i", "input", "label", "small", "span", "strong", "td", "th"}


def stripped_lines(html: str) -> list[str]:
    """Return the lines of text that are left; a table row is one line."""
    page = BeautifulSoup(html, "html.parser")
    for element in page(["style", "script"]):
        element.decompose()
    for element in page.find_all():
        if element.name in ("td", "th"):
            element.append(" ")
        if element.name not in INLINE:
            element.insert_before("\n")
            element.append("\n")
    return [" ".join(line.split()) for line in page.text.splitlines() if line.strip()]
