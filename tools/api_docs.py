"""Write docs/api.md: the public API, from its docstrings, by griffe2md.

    python -m tools.api_docs

One part for each public package, its names in the order of `__all__`.
"""

import re
from pathlib import Path

import griffe
from griffe2md import ConfigDict, render_object_docs

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "api.md"
PACKAGES = (
    "convkit",
    "convkit.ui",
    "convkit.ui.fields",
    "convkit.panels",
    "convkit.lenses",
    "convkit.figures",
    "convkit.exercises",
    "convkit.d2l_compat",
)
CONFIG = ConfigDict(
    docstring_style="numpy",
    heading_level=3,
    inherited_members=False,
    line_length=10_000,  # longer signatures would change where Black happens to be installed
    members_order="source",
    separate_signature=True,
    show_if_no_docstring=False,
    show_object_full_path=False,
    show_root_full_path=False,
    show_root_members_full_path=False,
    show_signature_annotations=True,
    summary=False,
)
INTRODUCTION = """\
# API reference

Made by `make docs` from the docstrings; their examples run as tests. Edit the docstrings instead.
"""


def object_docs(obj: griffe.Object) -> str:
    """Return the Markdown of one public name, without griffe2md's links to types.

    The links lead to anchors that this page does not have, such as `#torch.Tensor`.
    """
    text = render_object_docs(obj, CONFIG, format_md=True)
    return re.sub(r"\\?\[([^][]*?)\\?\]\(#[^)\n]*\)", r"\1", text)


def public_object(package: griffe.Object, name: str) -> griffe.Object | None:
    """Return a name of a package, from where it was imported: a module may have the same name.

    A module that is public itself has a part of its own on the page.
    """
    path = package.imports.get(name, f"{package.path}.{name}")
    return None if path in PACKAGES else package.modules_collection[path]


def package_docs(package: griffe.Object) -> str:
    """Return one package's part of the page: its docstring, then each public name."""
    description = package.docstring.value if package.docstring else ""
    names = map(str, package.exports or [])
    objects = [public_object(package, name) for name in names]
    members = [object_docs(obj) for obj in objects if obj is not None]
    return "\n".join([f"## {package.path}\n\n{description}\n", *members])


def render() -> str:
    """Return the whole page as Markdown."""
    loader = griffe.GriffeLoader(search_paths=[ROOT], docstring_parser=griffe.Parser.numpy)
    loader.load("convkit")
    loader.resolve_aliases()
    packages = [loader.modules_collection[path] for path in PACKAGES]
    return "\n".join([INTRODUCTION, *map(package_docs, packages)])


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
