"""What a browser makes of our HTML: its parser, its style sheet and the module's functions."""

from base64 import b64encode
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convkit import ui
from convkit.ops import WindowGeometry
from convkit.ui import html
from convkit.ui.keys import keyed
from convkit.ui.panel import Panel
from convkit.ui.saved import saved
from convkit.ui.styles import stylesheet
from tests.ui.test_html import everything

# Each is taken for markup somewhere: in text, in an attribute, in a raw or a foreign element.
HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<script>bad()</script>",
            "</pre></td></table></form></details><img src=x onerror=bad()>",
            '" onfocus="bad()" autofocus="',
            "' onfocus='bad()",
            "<!--><script>bad()</script>-->",
            "]]><svg onload=bad()>",
            "</style><script>bad()</script>",
            "</textarea></title></option></select>",
            "&lt;b&gt; &amp; &notit; &#60;",
            "java\tscript:bad()",
            "\n\n",
            "\ud800<b>",
            "${bad()} {{bad()}} `bad()`",
        ]
    ),
    st.text(
        st.characters(exclude_categories=["Cs", "Co"], exclude_characters="\0\r")
        | st.sampled_from("<>\"'&/=")
    ),
)
# Elements, attributes and texts in the order of the page; the browser's parser has the word.
PARSED = """html => {
    const template = document.createElement("template");
    template.innerHTML = html;
    const valueOf = (node, name) => name === "style" // in which lengths of texts stand
        ? node.getAttribute(name).replace(/:[^;]*/g, "") : name === "data-said"
        ? JSON.parse(node.getAttribute(name)) : node.getAttribute(name);
    const tell = (node) => node.nodeType === Node.TEXT_NODE ? node.data : node.nodeType !== 1
        ? String(node.nodeType) : [node.localName, node.getAttributeNames().sort().map(
            name => [name, valueOf(node, name)]), [...node.childNodes].map(tell)];
    return [...template.content.childNodes].map(tell);
}"""


@pytest.fixture(scope="module")
def page(chromium):
    tab = chromium.new_page()
    source = vars(Panel)["_esm"]
    module = f"{source}\nexport {{ patch, nearest, textAt, seriesOf }};"
    source = b64encode(module.encode()).decode()
    tab.evaluate(f"import('data:text/javascript;base64,{source}').then(m => window.module = m)")
    yield tab
    tab.close()


def parsed(page, markup):
    return page.evaluate(PARSED, str(markup))


def with_words(tree, word, hostile):
    """Return what was parsed, with a harmless word replaced by a hostile text."""
    if isinstance(tree, str):
        return tree.replace(word, hostile)
    return [with_words(part, word, hostile) for part in tree]


@settings(max_examples=60)
@given(hostile=HOSTILE)
def test_what_others_wrote_comes_out_as_text_in_every_kind_of_node(page, hostile):
    """The same elements and attributes as for a harmless word, which has become that text."""
    hostile = f"x{hostile}"  # what is empty is left out
    word = "\ue000" * len(hostile)  # lengths decide where notes stand
    harmless, tree = keyed(everything(word)), keyed(everything(hostile))
    for write in (html.render, saved, coded):
        expected = with_words(parsed(page, write(harmless)), word, html.writable(hostile))
        assert parsed(page, write(tree)) == expected


def coded(tree):
    """Return what a page puts together for the places of each series of a tree."""
    return "".join(
        "".join(words) for node in tree if node.kind == "series" for words in node.series.data[:1]
    )


@settings(max_examples=40)
@given(HOSTILE, st.sampled_from(["return", "raise", "print", "key", "file"]))
def test_what_a_learners_function_does_comes_out_as_text(page, hostile, how):
    def act(text, option):
        if how == "raise":
            raise ValueError(text)
        if how == "print":
            print(text)
        return {text: 1} if how == "key" else text

    text, forms = f"a {hostile}", []
    for word in ("harmless", text):
        panel = ui.explore(act, text=word, option={word: 1, "b": 2})
        forms.append(parsed(page, html.render(panel.tree) + panel.saved_html()))
    assert form(forms[0]) == form(forms[1])
    assert html.writable(text)[:300] in "".join(texts(forms[1]))


def form(trees):
    """Return elements and names of attributes."""
    elements = [tree for tree in trees if not isinstance(tree, str)]
    return [[name, [key for key, _ in has], form(inside)] for name, has, inside in elements]


def texts(trees):
    """Yield all texts."""
    for tree in trees:
        if isinstance(tree, str):
            yield tree
        else:
            yield from texts(tree[2])


# The module's functions


def test_patching_makes_any_tree_like_any_other_and_keeps_what_has_a_key(page):
    told = page.evaluate(
        """() => {
            let seed = 1;
            const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
            const write = (depth, keys) => {
                const parts = Array.from({ length: random(4) }, () => {
                    const kind = random(depth ? 4 : 2);
                    if (kind === 0) return "abc"[random(3)];
                    if (kind === 1) return `<input value="${random(3)}">`;
                    const isKeyed = kind === 2 && keys.length;
                    const key = isKeyed ? `data-key="${keys.splice(random(keys.length), 1)}"` : "";
                    return `<p ${key} title="${random(3)}">${write(depth - 1, keys)}</p>`;
                });
                return parts.join("");
            };
            const make = (text) => {
                const node = document.createElement("div");
                node.innerHTML = text;
                return node;
            };
            const faults = [];
            let kept = 0;
            for (let k = 0; k < 3000; k++) {
                const [one, other] = [write(3, [..."ABCDE"]), write(3, [..."ABCDE"])];
                const [old, fresh] = [make(one), make(other)];
                const before = new Map([...old.children].map(node => [node.dataset.key, node]));
                module.patch(old, make(other), () => false);
                old.normalize(); fresh.normalize();
                if (!old.isEqualNode(fresh)) faults.push([one, other, old.innerHTML]);
                for (const node of old.children) {
                    const same = node.dataset.key && before.get(node.dataset.key);
                    if (same && same !== node) faults.push(["made anew", one, other]);
                    kept += same === node;
                }
            }
            return [faults.slice(0, 3), kept];
        }"""
    )
    assert told[0] == [] and told[1] > 100


PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=60)
@given(PAIRS, PAIRS, st.integers(0, 2), st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_pointing_finds_the_window_centred_closest(page, kernel, stride, padding, spot):
    geometry = WindowGeometry((10, 10), kernel, padding=padding, stride=stride)
    cells = geometry.output_size
    frame = ui.Frame.window(ui.Cursor("window", cells, (0, 0), "at"), geometry)
    rule = [*frame.top, *frame.left, *frame.size]
    found = page.evaluate(
        "([rule, cells, spot]) => module.nearest(rule, cells, spot)", [rule, cells, spot]
    )

    def away(place):
        first = frame.start(*place)
        return [abs(f + (n - 1) / 2 - s) for f, n, s in zip(first, kernel, spot, strict=True)]

    nearest = [min(away(place)[axis] for place in product(*map(range, cells))) for axis in (0, 1)]
    assert away(found) == nearest


def test_pointing_at_a_row_of_a_matrix_finds_its_cell(page):
    rule, cells = [0, 7, 1, 0, 0, 0, 1, 8], [6, 7]
    for i, j in product(range(6), range(7)):
        arguments = [rule, cells, [7 * i + j, 3]]
        assert page.evaluate("a => module.nearest(...a)", arguments) == [i, j]


def test_the_module_decodes_a_series_as_python_wrote_it(page):
    nodes = [
        ui.row(ui.text(f"<{n}>"), ui.caption("same"), ui.text("−" * (n % 3))) for n in range(9)
    ]
    words, codes, pixels = ui.Series(tuple(nodes)).data
    texts = page.evaluate(
        """([words, codes]) => {
            const bytes = Uint8Array.from(codes);
            const none = new DataView(new ArrayBuffer(0));
            const one = module.seriesOf(words, new DataView(bytes.buffer), none);
            return Array.from({ length: 12 }, (_, n) => module.textAt(one, n));
        }""",
        [words, list(codes)],
    )
    assert texts == [str(html.render(nodes[min(n, 8)])) for n in range(12)]


# The style sheet

RULES = [
    ("window", ui.Frame(ui.Cursor("window", (3, 4), (0, 0), "at"), (-1, 2, 0), (-1, 0, 2), (3, 3))),
    ("dilated", ui.Frame(ui.Cursor("window", (3, 4), (0, 0), "at"), size=(2, 2), dilation=(2, 3))),
    ("row", ui.Frame(ui.Cursor("window", (3, 4), (0, 0), "at"), (0, 4, 1), (0, 0, 0), (1, 9))),
    ("skewed", ui.Frame(ui.Cursor("window", (3, 4), (0, 0), "at"), (0, 1, 1), (2, -1, 1), (1, 2))),
]
MEASURED = """node => {
    const cell = node.querySelector("td:not(.ck-corner), canvas, img").getBoundingClientRect();
    const parts = [...node.querySelectorAll("[data-rule], [data-rule] b")];
    const frames = parts.map(part => part.getBoundingClientRect());
    const picture = node.querySelector("canvas, img");
    const [h, w] = picture ? [cell.height / 12, cell.width / 12] : [cell.height, cell.width];
    return frames.map(f =>
        [(f.top - cell.top) / h, (f.left - cell.left) / w, f.height / h, f.width / w]);
}"""

SET_PLACE = """(node, [i, j]) => {
    node.style.setProperty("--i", i);
    node.style.setProperty("--j", j);
}"""


@pytest.mark.parametrize("kind", ["table", "picture"])
@pytest.mark.parametrize(("name", "frame"), RULES, ids=[name for name, _ in RULES])
def test_the_style_sheet_places_frames_as_python_does(page, kind, name, frame):
    values = torch.zeros(12, 12)
    shown = {"table": ui.table, "picture": ui.picture}[kind](
        "X", values, ui.Scale("grey", 0, 1), frames=[frame]
    )
    says = [[f"{i}, {j}" for j in range(4)] for i in range(3)]
    cell = ui.Frame(frame.cursor)
    output = ui.table(
        "Y", torch.zeros(3, 4), ui.Scale("grey", 0, 1), frames=[cell], descriptions=says
    )
    tree = keyed(ui.column(shown, output))
    for write in (live, saved):
        page.set_content(
            f"<!doctype html><style>td, img {{ scroll-margin: 0 }}</style>{write(tree)}"
        )
        page.add_style_tag(content="* { transition: none !important; }")
        for i, j in ((0, 0), (2, 1), (1, 3)):
            if write is saved:
                page.locator(f".ck-choose .r{i} .c{j} input").check()
                page.mouse.move(1, 1)
            else:
                page.locator("[data-rule]").first.evaluate(SET_PLACE, [i, j])
            whole = (
                page.locator("[data-rule]")
                .first.locator("xpath=ancestor::*[2]")
                .evaluate(MEASURED)[0]
            )
            expected = [*frame.start(i, j), *frame.span]
            assert whole == pytest.approx(expected, abs=0.12), (write, i, j)


def live(tree):
    return f"<style>{stylesheet()}</style><div class='ck-view'>{html.render(tree)}</div>"
