"""The HTML that notebooks hold: what our own writers make, and what markdown becomes.

`examine` reads it as browsers do, and finds and removes everything else.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import tinycss2
from justhtml import Comment, JustHTML

import convkit
from convkit.ui.styles import ROOT, own_rules, stylesheet

Allowed = Mapping[str, str]
"""By an element's name, a pattern of its attributes, each as name=value."""


def elements(attributes: str, own: Mapping[str, str]) -> dict[str, str]:
    """Return elements, in `own` with blanks between, with attributes of all and of their own."""
    return {
        name: "|".join(filter(None, [attributes, more]))
        for names, more in own.items()
        for name in names.split()
    }


VIEW = elements(
    r"class=((ck-[\w-]+|[a-z]-?\d+) ?)*|style=.*|title=.*|aria-(label|hidden)=.*"
    r"|role=(group|img|radiogroup|region|table)"
    r"|data-(cursor|full|lm-suppress-shortcuts|longest|paint|pick|picks|rule|side|sign|text)=.*",
    {
        "b br details div i label output pre small span style sup": "",
        "summary table tbody td tr": "",
        "th": "scope=(col|row)",
        "form": "method=dialog|tabindex=-1",
        "input": r"type=radio|name=\w+|value=\d+|checked=",
        "img": "src=data:image/png;base64,[A-Za-z0-9+/]+=*|alt=.*",
        "svg:svg": "viewBox=.*|preserveAspectRatio=none",
        "svg:path svg:rect svg:ellipse svg:polygon": "(d|height|points|rx|ry|transform|width)=.*",
    },
)
"""What `convkit.ui` and the exercises write for saved notebooks."""

MARKDOWN = elements(
    r"class=(anchor-link|highlight|[a-z]{1,2}\d?)",
    {
        "b blockquote br code del details div em hr li p pre span strong sub summary sup ul": "",
        "table tbody thead tr": "",
        "ol": r"start=\d+",
        "h1 h2 h3 h4 h5 h6": r"id=\S+",
        "td th": "style=text-align: ?(center|left|right)",
        "a": r"href=(https?://|#|[\w.%/-]+(#|$))\S*|title=.*",
        "img": r"src=[\w.%/-]+|(alt|title)=.*",
    },
)
"""What nbconvert makes of markdown, with folds."""

PAGE = elements(
    r"(class|id|lang|role|style|title|aria-[a-z]+|data-[\w-]+)=.*",
    {
        **VIEW,
        **MARKDOWN,
        "td th": r"(col|row)span=\d+|scope=(col|row)",
        "img": r"src=data:image/(gif|jpeg|png);base64,[A-Za-z0-9+/\s]+=*|(alt|width|height)=.*",
        "math:math math:mfrac math:mi math:mn math:mo math:mover math:mroot math:mrow math:ms "
        "math:mspace math:msqrt math:mstyle math:msub math:msubsup math:msup math:mtable math:mtd "
        "math:mtext math:mtr math:munder math:munderover": "(columnalign|display|displaystyle"
        "|fence|form|linethickness|lspace|mathvariant|maxsize|minsize|rspace|scriptlevel|stretchy"
        "|width|xmlns)=.*",
    },
)
"""What an exported page of any notebook may hold, where a policy keeps style from requests."""

DECLARED = {"aspect-ratio", "border-left", "color", "content", "display", "fill", "font-size"}
DECLARED |= {"grid-area", "left", "padding", "stroke", "stroke-width", "text-align", "top"}
DECLARED |= {"visibility"}
"""What a style may say besides the rules of our style sheets, and besides custom properties."""
FUNCTIONS = {"attr", "calc", "color-mix", "linear-gradient", "max", "min", "rgba", "var"}
FUNCTION = re.compile(r"([\w-]+)\(")
VIEW_ROOT = re.compile(r"\.ck-\d+")


def read(html: str) -> JustHTML:
    """Return HTML as a browser reads it inside of a page, with nothing removed."""
    return JustHTML(html, fragment=True, sanitize=False, collect_errors=True)


def examine(page: JustHTML, allowed: Allowed) -> list[str]:
    """Remove from a page that was read unchanged all that is not allowed; tell it in words."""
    found = []
    for element in [page.root, *page.query("*")]:
        for comment in [c for c in element.children or () if isinstance(c, Comment)]:
            found.append("has an HTML comment")
            element.remove_child(comment)
    for element in page.query("*"):
        attributes = allowed.get(_name(element))
        if attributes is None:
            found.append(f"has an HTML element <{element.name}>")
            element.parent.remove_child(element)
            continue
        for name, value in list(element.attrs.items()):
            if not re.fullmatch(attributes, f"{name}={value or ''}", re.DOTALL):
                found.append(f"has an HTML attribute {name} of <{element.name}>")
                del element.attrs[name]
    return found


def _name(element) -> str:
    is_html = element.namespace == "html"
    return element.name if is_html else f"{element.namespace}:{element.name}"


def strange_styles(page: JustHTML) -> Iterator[str]:
    """Tell styles that are neither in our style sheets nor of a view's own numbers and cursors."""
    for element in page.query("[style]"):
        if not _is_plain(element.attrs["style"]):
            yield f"has a style that no view has: {element.attrs['style']}"
    for element in page.query("style"):
        css = "".join(text.data for text in element.children)
        for rule in _rules(css):
            if not _is_of_a_view(rule):
                selectors = tinycss2.serialize(getattr(rule, "prelude", []))
                yield f"has a rule of style that no view has: {rule.type} {selectors}"


def _is_of_a_view(rule: tinycss2.ast.Node) -> bool:
    """Return whether a rule is ours, or says what is common, of what is inside of a view."""
    if rule.type == "error" or _normal(rule) in _our_rules():
        return rule.type != "error"
    tokens = [token for token in rule.prelude if token.type not in ("function", "[] block")]
    selectors = tinycss2.serialize(tokens)
    is_inside = all(VIEW_ROOT.match(selector.strip()) for selector in selectors.split(","))
    is_inside = is_inside and not set("+~|&") & set(selectors)
    return rule.type == "qualified-rule" and is_inside and _is_plain(rule.content)


def _normal(rule: tinycss2.ast.Node) -> str:
    """Return a rule as text without spaces, whatever the root of its view is called."""
    return "".join(VIEW_ROOT.sub(ROOT, rule.serialize()).split())


@cache
def _our_rules() -> set[str]:
    folder = Path(convkit.__file__).parent
    panels = [own_rules(file.read_text("utf-8")) for file in folder.glob("panels/*.css")]
    saved = (folder / "ui" / "static" / "saved.css").read_text("utf-8")
    return set(map(_normal, _rules("".join([stylesheet(), saved, *panels]))))


def _rules(css: str) -> list[tinycss2.ast.Node]:
    return tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)


def _is_plain(declarations: str | list[tinycss2.ast.Node]) -> bool:
    """Return whether declarations say only what our writers say, and ask for no file."""
    return all(
        part.type == "declaration"
        and (part.name in DECLARED or part.name.startswith("--"))
        and set(FUNCTION.findall(tinycss2.serialize(part.value).lower())) <= FUNCTIONS
        for part in tinycss2.parse_blocks_contents(declarations, skip_whitespace=True)
    )
