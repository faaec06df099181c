"""Stored HTML as a site shows it that drops style, class, id and script."""

from bs4 import BeautifulSoup, Comment

INLINE = {
    *("a", "b", "code", "em", "i", "input", "label", "output", "small", "span", "strong"),
    *("td", "th"),
}


def stripped_lines(html: str) -> list[str]:
    """Return the lines of text that are left; a table row is one line.

    Of a closed section the title is left. Outside of code a line break is a blank.
    """
    page = BeautifulSoup(html, "html.parser")
    for element in page(["style", "script"]):
        element.decompose()
    for section in page("details", open=False):
        section.replace_with(section.summary)
    for text in page.find_all(string=True):
        if not isinstance(text, Comment) and not text.find_parent("pre"):
            text.replace_with(text.replace("\n", " "))
    for element in page.find_all():
        if element.name in ("td", "th"):
            element.append(" ")
        if element.name not in INLINE:
            element.insert_before("\n")
            element.append("\n")
    return [" ".join(line.split()) for line in page.text.splitlines() if line.strip()]
