"""panel.js in a real browser, with a real panel and no Jupyter: see module_page.py."""

import re

import pytest
import torch
from playwright.sync_api import expect

from convkit import ui
from tests.browser.module_page import ModulePage
from tests.browser.page_objects import watched
from tests.ui import sample


@pytest.fixture(scope="module")
def tab(chromium):
    """Give one tab of the browser, whose console has to stay empty."""
    with watched(chromium) as page:
        yield page


@pytest.fixture
def shown(tab):
    """Give a page that shows a panel."""
    return ModulePage(tab, sample.panel())


def press(shown, *keys):
    for key in keys:
        shown.page.keyboard.press(key)


# Boxes


def test_what_is_typed_while_answers_are_under_way_stays(shown):
    box, keys = shown.box("K[0, 0]"), shown.page.keyboard
    box.click()
    for character, texts in (("0", "0"), (".", "0."), ("2", "0.2"), ("5", "0.25")):
        keys.type(character)
        if character in "05":
            shown.to_python()
        assert box.input_value() == texts
    shown.to_page()  # the answers to all, the first ones late
    assert box.input_value() == "0.25" and shown.panel.K.tolist() == [[0.25, -1]]
    expect(box).to_have_class(re.compile("t2"))
    shown.settle()
    assert shown.shows_the_tree()


def test_what_comes_after_the_answer_takes_the_place_of_what_was_typed(shown):
    box = shown.box("K[0, 0]")
    box.fill("1/3")
    shown.settle()
    assert box.input_value() == "1/3"  # as it was typed
    shown.panel.K = torch.tensor([[0.5, 7.0]])
    shown.settle()
    assert box.input_value() == "0.5" and shown.box("K[0, 1]").input_value() == "7"
    shown.box("word").fill("b")
    shown.to_python()
    shown.box("word").fill("bc")  # not heard yet
    shown.panel.word = "code"
    shown.to_page()
    assert shown.box("word").input_value() == "bc"
    shown.settle()
    assert shown.panel.word == "bc"


def test_a_refused_text_is_marked_and_stays_to_be_finished(shown):
    box = shown.box("K[0, 0]")
    box.fill("2,,5")
    shown.settle()
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_accessible_description(re.compile("is '2,,5'"))
    shown.box("K[0, 1]").fill("3")
    shown.settle()
    assert box.input_value() == "2,,5" and shown.panel.K.tolist() == [[1, 3]]
    box.fill("2")
    assert box.get_attribute("aria-invalid") is None
    shown.panel.X = torch.ones(3, 3)
    shown.settle()
    shown.view.get_by_role("slider", name="size").fill("4")
    shown.settle()
    assert "size is 4" in shown.status  # and no box is marked, but the slider goes back
    assert shown.view.get_by_role("slider", name="size").input_value() == "2"
    assert shown.view.locator("[aria-invalid]").count() == 0


def test_a_click_selects_the_number_and_keys_step_restore_and_go_on(shown):
    """Finding 34."""
    first, second = shown.box("K[0, 0]"), shown.box("K[0, 1]")
    second.click()
    for keys, text in (
        ("-1.5", "-1.5"),  # in place of what is selected
        (["ArrowUp", "ArrowUp"], "−1.3"),
        (["Escape"], "−1"),
        ("4", "4"),
        ("x", "4x"),
        (["Escape"], "−1"),
    ):
        press(shown, *keys)
        shown.settle()
        assert second.input_value() == text, keys
    assert shown.panel.K.tolist() == [[1, -1]] and shown.shows_the_tree()
    assert second.get_attribute("aria-invalid") is None
    assert not second.get_attribute("title")  # what was wrong is no tooltip any more
    press(shown, "Home", "ArrowLeft", "Enter")
    expect(first).to_be_focused()  # there is no row below


def test_arrows_lead_through_a_compact_grid_which_is_one_tab_stop(tab):
    shown = ModulePage(tab, ui.explore(lambda K: K.sum().item(), K=torch.eye(5)))
    middle = shown.box("K[2, 3]")
    middle.click()
    press(shown, "ArrowRight", "ArrowRight")
    expect(shown.box("K[3, 0]")).to_be_focused()
    press(shown, "ArrowLeft", "Enter", "ArrowDown")
    expect(shown.box("K[3, 4]")).to_be_focused()
    shown.settle()
    assert shown.panel.K[3, 4] == -1
    stops = "boxes => boxes.filter(box => box.tabIndex === 0).map(box => box.ariaLabel)"
    assert shown.part("K").locator("input").evaluate_all(stops) == ["K[3, 4]"]
    press(shown, "Tab", "Shift+Tab")
    expect(shown.box("K[3, 4]")).to_be_focused()


def test_a_pasted_block_is_a_new_array(shown):
    paste = """(node, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text", text);
        const options = { clipboardData, bubbles: true, cancelable: true };
        node.dispatchEvent(new ClipboardEvent("paste", options));
    }"""
    shown.box("K[0, 0]").evaluate(paste, "1 0 -1\n2 0 -2")
    shown.settle()
    assert shown.panel.K.tolist() == [[1, 0, -1], [2, 0, -2]] and shown.shows_the_tree()
    expect(shown.box("K[1, 2]")).to_have_value("−2")


def test_a_copied_number_can_be_pasted_into_code(shown):
    copied = """node => {
        const clipboardData = new DataTransfer();
        getSelection().selectAllChildren(node);
        node.dispatchEvent(new ClipboardEvent("copy", { clipboardData, bubbles: true }));
        return clipboardData.getData("text");
    }"""
    shown.panel.X = -shown.panel.X
    shown.settle()
    text = shown.part("input").evaluate(copied)
    assert "-47" in text and "−" not in text


# Other controls


def test_each_control_tells_python_and_shows_its_answer(shown):
    view, panel = shown.view, shown.panel
    view.get_by_text("avg", exact=True).click()
    view.get_by_role("combobox", name="rows").select_option("9")
    view.get_by_role("checkbox", name="flip").check()
    view.get_by_role("button", name="zero").click()
    file = {"name": "a<b>.txt", "mimeType": "", "buffer": b"12345"}
    view.get_by_label("open").set_input_files([file])
    expect(view.get_by_label("open")).to_have_value("")  # the same may be opened again
    shown.settle()
    assert (panel.mode, panel.rows, panel.flip, panel.opened) == ("avg", 9, True, "a<b>.txt: 5")
    assert panel.K.tolist() == [[0, 0]] and shown.shows_the_tree()
    for name in ("undo", "undo", "redo"):
        view.get_by_role("button", name=name).click()
        shown.settle()
    assert panel.K.tolist() == [[0, 0]] and panel.opened == ""
    view.get_by_role("radio", name="avg").focus()
    press(shown, "ArrowLeft")
    shown.settle()
    assert panel.mode == "max" and shown.shows_the_tree()


def test_a_drag_sends_three_moves_and_then_the_newest_and_is_one_step_of_undo(shown):
    slider = shown.view.get_by_role("slider", name="size")
    area, mouse = slider.bounding_box(), shown.page.mouse
    places = [area["x"] + 8 + (area["width"] - 16) * n / 3 for n in range(4)]
    mouse.move(places[1], area["y"] + 14)
    mouse.down()
    for n in (0, 1, 2, 3, 2, 3, 0):
        mouse.move(places[n], area["y"] + 14)
        shown.paint()
    mouse.up()
    assert shown.to_python() == 3
    shown.to_page()
    assert slider.input_value() == "1"  # under the hand: not set back by late answers
    shown.settle()
    assert shown.panel.size == 1 and shown.shows_the_tree()
    shown.panel.undo()
    assert shown.panel.size == 2 and not shown.panel.store.can_undo


def test_dragging_over_a_table_paints_the_cells_on_the_way(shown):
    def at(i, j):
        area = shown.part("input").locator(f".r{i} td").nth(j).bounding_box()
        return area["x"] + area["width"] / 2, area["y"] + area["height"] / 2

    mouse = shown.page.mouse
    mouse.move(*at(0, 0))
    mouse.down()
    mouse.move(*at(3, 3))
    mouse.move(*at(3, 4))
    mouse.up()
    mouse.move(*at(5, 5))
    shown.settle()
    painted = (shown.panel.X == 99).nonzero().tolist()
    assert painted == [[0, 0], [1, 1], [2, 2], [3, 3], [3, 4]]
    mouse.move(5, 5)
    shown.settle()
    assert shown.shows_the_tree()
    shown.panel.undo()
    assert not (shown.panel.X == 99).any()


STROKE = [[1, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0]]


@pytest.fixture
def painted(tab):
    """Give a picture to paint after a stroke: to the right, back to the corner, and down."""
    shown = ModulePage(tab, ui.explore(lambda X: float(X.sum()), X=ui.Painted(torch.zeros(3, 4))))
    cells, mouse = shown.part("X").locator("td"), shown.page.mouse
    areas = [cells.nth(n).bounding_box() for n in (0, 3, 0, 8)]
    centres = [(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2) for area in areas]
    mouse.move(*centres[0])
    mouse.down()
    for centre in centres[1:]:
        mouse.move(*centre)
    mouse.up()
    shown.settle()
    return shown


def test_a_stroke_paints_all_that_it_crosses_and_is_one_step_of_undo(painted):
    assert painted.panel.X.tolist() == STROKE
    press(painted, "Control+z")
    painted.settle()
    assert not painted.panel.X.any() and not painted.panel.store.can_undo


def test_a_click_and_keys_turn_single_pixels(painted):
    painted.part("X").locator("td").nth(1).click()
    press(painted, "ArrowDown", " ", "ArrowRight", "Enter")
    painted.settle()
    assert painted.panel.X.tolist() == [[1, 0, 1, 1], [1, 1, 1, 0], [1, 0, 0, 0]]
    press(painted, "Control+z", "Control+z", "Control+z")
    painted.settle()
    assert painted.panel.X.tolist() == STROKE


def test_code_is_copied_also_without_a_secure_context(shown):
    shown.view.get_by_text("torch code").first.click()
    copy = shown.view.get_by_role("button", name="copy the torch code")
    shown.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    copied = "addEventListener('copy', () => window.copied = getSelection().toString())"
    shown.page.evaluate(f"document.{copied}")
    copy.click()
    expect(shown.part("torch code").get_by_role("status")).to_have_text("copied")
    assert shown.page.evaluate("copied") == "K = [[1.0, -1.0]]  # 1 < 2 & 3"


# Cursors, frames, series


def place_of(shown, key):
    """Return row and column of a frame's first cell, measured on the page."""
    return shown.part(key).evaluate(
        """part => {
            const cell = part.querySelector(".r0 td, canvas").getBoundingClientRect();
            const frame = part.querySelector("[data-rule]").getBoundingClientRect();
            const canvas = part.querySelector("canvas");
            const [h, w] = canvas ? [cell.height / 6, cell.width / 8] : [cell.height, cell.width];
            return [(frame.top - cell.top) / h, (frame.left - cell.left) / w].map(Math.round);
        }"""
    )


def cell(shown, i, j):
    """Return a cell of the output."""
    return shown.part("output").locator(f".r{i} td").nth(j)


# What a browser tells of a pointer that rests, where the page under it has changed.
RESTING = """cell => {
    const { left, top, width, height } = cell.getBoundingClientRect();
    const at = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true };
    for (let k = 0; k < 2; k++) cell.dispatchEvent(new PointerEvent("pointermove", at));
}"""


def test_frames_descriptions_and_series_follow_without_the_kernel(shown):
    out = cell(shown, 2, 1)
    out.hover()
    shown.page.wait_for_function(
        "() => document.querySelector('output').textContent.startsWith('Y[2, 1]')"
    )
    reads = next(n for n in shown.panel.tree if n.name == "input").frames[0]
    assert place_of(shown, "input") == list(reads.start(2, 1)) == place_of(shown, "photo")
    assert place_of(shown, "output") == [2, 1]
    shown.part("photo").locator("canvas").hover(position={"x": 159, "y": 1})
    shown.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert place_of(shown, "output") == [0, 3]
    assert [content["value"] for content, _ in shown.take()] == [[2, 1], None, [0, 3]]
    shown.page.mouse.move(5, 5)
    shown.settle()
    assert place_of(shown, "output") == [0, 0]


def test_what_is_chosen_by_keys_wins_over_a_pointer_that_rests(shown):
    out = cell(shown, 2, 1)
    out.click()
    press(shown, "ArrowUp", "ArrowRight")
    shown.paint()
    assert place_of(shown, "output") == [1, 2]
    out.evaluate(RESTING)
    shown.settle()
    assert shown.panel.at == (1, 2) and shown.shows_the_tree()
    expect(cell(shown, 1, 2)).to_be_focused()


def test_a_choice_among_moves_of_the_pointer_is_not_lost(shown):
    cells = shown.part("output").locator("td").all()
    for each in cells[:4]:
        each.hover()
    cell(shown, 2, 1).click()
    shown.page.mouse.move(5, 5)
    shown.settle()
    assert shown.panel.at == (2, 1) and shown.panel.pointed is None and shown.shows_the_tree()


def test_a_choice_shows_what_has_become_of_it(tab):
    def view(result):
        return ui.column(
            ui.header(""),
            ui.check("flip", result.state.flip, lambda value: {}),
            ui.choice("mode", ("max", "avg"), result.state.mode, lambda value: {}),
        )

    shown = ModulePage(tab, ui.Panel(sample.SampleState(), sample.compute, view))
    shown.view.get_by_role("checkbox", name="flip").check()
    shown.view.get_by_role("radio", name="avg").check()
    shown.settle()
    expect(shown.view.get_by_role("checkbox", name="flip")).not_to_be_checked()
    expect(shown.view.get_by_role("radio", name="max")).to_be_checked()


def test_a_cell_that_goes_under_the_pointer_is_not_pointed_at_any_more(shown):
    cell(shown, 2, 3).hover()
    shown.panel.size = 4
    shown.settle()
    shown.page.mouse.move(5, 5)
    shown.settle()
    assert shown.panel.pointed is None and shown.shows_the_tree()


def test_a_player_a_curve_and_a_box_choose_a_step(shown):
    steps = [f"loss {2 * n}" for n in range(sample.STEPS)]
    shown.view.get_by_role("slider", name="step").fill("6")
    shown.view.get_by_role("button", name="previous step").click()
    shown.page.get_by_role("img", name="curve").press("ArrowLeft")
    expect(shown.part("loss")).to_have_text(steps[4])
    walked = "[data-key='curve path'] .ck-walked"
    assert shown.page.locator(walked).get_attribute("d").count("L") == 4
    curve = shown.page.get_by_role("img", name="curve")
    curve.click(position={"x": curve.bounding_box()["width"] * 61 / 140, "y": 9})
    expect(shown.part("loss")).to_have_text(steps[3])
    box = shown.view.get_by_role("spinbutton", name="step")
    for text in ("", "7", "-1", "2.5"):
        box.fill(text)
    expect(shown.part("loss")).to_have_text(steps[3])
    box.blur()
    expect(box).to_have_value("3")
    shown.settle()
    assert shown.panel.n == 3 and not shown.panel.store.can_undo


def test_playing_stops_at_the_end_starts_over_and_ends_with_its_buttons(tab):
    step = ui.Cursor("step", 5, 3, "n")

    def view(result):
        is_there = result.state.word == "a"
        return ui.column(ui.header(""), ui.player("step", step) if is_there else None)

    shown = ModulePage(tab, ui.Panel(sample.SampleState(), sample.compute, view))
    play = shown.view.get_by_role("button", name="play step")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")
    expect(shown.view.get_by_role("spinbutton", name="step")).to_have_value("4")
    play.click()
    expect(shown.view.get_by_role("spinbutton", name="step")).not_to_have_value("4")
    shown.panel.word = "gone"
    shown.settle()
    shown.page.wait_for_timeout(450)  # longer than a step: nothing is heard of it
    assert shown.view.get_by_role("button", name="play step").count() == 0


def test_a_point_of_a_plot_is_told_in_its_units(shown):
    surface = shown.page.get_by_role("img", name="surface")
    area = surface.bounding_box()  # of 80 × 60 units
    surface.click(position={"x": area["width"] / 4, "y": area["height"] / 2})
    shown.settle()
    assert shown.panel.spot == (20, 30)
    for key in ("ArrowRight", "ArrowDown"):
        press(shown, key)
        shown.settle()
    assert shown.panel.spot == (24, 34) and shown.shows_the_tree()


# Pictures


def pixels(canvas):
    """Return what a canvas shows: rows of red."""
    data = canvas.evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    width = canvas.evaluate("c => c.width")
    reds = data[::4]
    return [reds[k : k + width] for k in range(0, len(reds), width)]


def test_pictures_are_painted_anew_when_pixels_or_sizes_change(shown):
    canvas = shown.part("photo").locator("canvas")

    def expected():
        levels = shown.panel.X / shown.panel.X.max().clamp(1)
        return (levels * 254).round().mul(255 / 254).round().int().tolist()

    assert pixels(canvas) == expected()
    for X in (torch.rand(6, 8), torch.zeros(2, 3), torch.zeros(3, 2), torch.eye(3) / 2):
        shown.panel.X = X
        shown.settle()
        assert torch.tensor(pixels(canvas)).sub(torch.tensor(expected())).abs().max() <= 1
        assert pixels(canvas) and len(pixels(canvas)) == X.shape[0]


# Several views, lost messages, no kernel


def test_two_views_of_a_page_show_the_same_and_a_late_one_what_there_is(shown):
    shown.box("K[0, 0]").fill("5")
    shown.settle()
    shown.page.evaluate("addView()")
    shown.settle()
    assert shown.shows_the_tree()  # in both views
    first, second = shown.page.locator(".ck-view").all()
    first.get_by_role("slider", name="step").fill("4")
    expect(second.locator("[data-key=loss]")).to_have_text("loss 24")
    second.get_by_role("textbox", name="K[0, 1]", exact=True).fill("2")
    shown.settle()
    expect(first.get_by_role("textbox", name="K[0, 1]", exact=True)).to_have_value("2")
    assert shown.shows_the_tree()
    shown.page.evaluate("ends[1]()")
    first.get_by_role("slider", name="step").fill("0")
    shown.settle()


def test_a_page_that_is_loaded_again_shows_what_python_has_and_changes_nothing(shown):
    """Finding 2."""
    shown.view.get_by_role("slider", name="step").fill("4")
    shown.box("K[0, 0]").fill("5")
    shown.settle()
    before = shown.panel.store.result
    shown.load()
    assert shown.take() == [] and shown.shows_the_tree()
    expect(shown.part("loss")).to_have_text("loss 24")
    expect(shown.view.get_by_role("slider", name="step")).to_have_value("4")
    assert shown.panel.store.result is before


def test_what_takes_long_is_said_until_it_is_answered_or_its_answer_is_lost(shown):
    line = shown.view.locator(".ck-status")
    shown.box("word").fill("b")
    expect(line).to_have_attribute("aria-busy", "true")
    shown.take()  # as if the kernel had been interrupted
    shown.box("word").fill("bc")
    shown.settle()
    expect(line).to_have_attribute("aria-busy", "false")
    expect(shown.view.locator(".ck-waiting")).to_have_count(0)


def test_a_kernel_that_is_gone_is_said_and_nothing_breaks(shown):
    notice = "view => getComputedStyle(view, '::before').content"
    assert shown.view.evaluate(notice) == "none"
    shown.page.evaluate("isGone = true")
    shown.box("word").fill("b")
    cell(shown, 1, 1).hover()
    assert "Run the cells from the top" in shown.view.evaluate(notice)
    assert shown.view.locator(".ck-waiting").count() == 0


def test_a_stop_button_stops_work(tab):
    work = sample.slow(20)
    panel = ui.Panel(
        sample.SampleState(),
        sample.compute,
        sample.view,
        work=lambda result: work(result) if result.state.word != "a" else None,
    )
    shown = ModulePage(tab, panel)
    shown.box("word").fill("b")
    shown.settle()
    assert shown.status.startswith("summing")
    stop = shown.view.get_by_role("button", name="stop")
    stop.focus()
    press(shown, "Enter")
    shown.settle()
    assert "summing" not in shown.status and stop.count() == 0
    inside = "view => view.contains(document.activeElement)"
    assert shown.view.evaluate(inside)  # the focus did not fall out of the panel


# What others do with the page


def test_a_search_or_a_translator_leaves_right_numbers(shown):
    """Finding 38: they put elements around parts of texts, and change texts."""
    shown.page.evaluate(
        """() => {
            const view = document.querySelector(".ck-view");
            const walker = document.createTreeWalker(view, NodeFilter.SHOW_TEXT);
            const texts = [];
            while (walker.nextNode()) texts.push(walker.currentNode);
            for (const text of texts.filter(text => text.data.trim())) {
                const mark = document.createElement("mark");
                const end = text.splitText(Math.floor(text.data.length / 2));
                mark.textContent = end.data;
                end.replaceWith(mark);
            }
        }"""
    )
    shown.panel.K, shown.panel.X = torch.tensor([[3.0, 4.0]]), torch.rand(6, 8)
    shown.panel.n = 5
    shown.settle()
    for key in ("input", "output"):
        assert shown.part(key).locator("mark").count() == 0
    said = [cell.split() for cell in shown.part("output").locator("td").all_inner_texts()]
    output = next(n for n in shown.panel.tree if n.name == "output")
    assert [c[0] for c in said if c] == [text for line in output.texts for text in line]
    expect(shown.part("loss")).to_have_text("loss 35")


def test_the_focus_goes_to_what_is_left(shown):
    shown.panel.K = torch.ones(2, 2)
    shown.settle()
    shown.box("K[1, 1]").click()
    shown.panel.K = torch.ones(1, 1)
    shown.settle()
    expect(shown.box("K[0, 0]")).to_be_focused()


# Keys


def test_undo_and_redo_by_keys_on_any_keyboard(shown):
    shown.box("K[0, 0]").fill("5")
    shown.settle()
    shown.view.get_by_role("slider", name="size").focus()
    for key, code, shift, expected in (
        ("я", "KeyZ", False, 1),
        ("ζ", "KeyZ", True, 5),
        ("z", "KeyY", False, 1),  # German
        ("y", "KeyZ", False, 5),
    ):
        shown.page.evaluate(
            """([key, code, shiftKey]) => {
                const way = { ctrlKey: true, bubbles: true, cancelable: true };
                const event = new KeyboardEvent("keydown", { key, code, shiftKey, ...way });
                document.activeElement.dispatchEvent(event);
            }""",
            [key, code, shift],
        )
        shown.settle()
        assert shown.panel.K[0, 0] == expected, (key, code)


def test_keys_that_a_control_uses_stay_in_it_and_others_go_on(shown):
    shown.page.evaluate(
        """() => {
            window.heard = []; // what JupyterLab hears first, and what it hears at last
            const note = (how) => (event) => heard.push([event.key, how,
                event.target.hasAttribute("data-lm-suppress-shortcuts")]);
            document.addEventListener("keydown", note("first"), { capture: true });
            document.addEventListener("keydown", note("last"));
        }"""
    )
    controls = shown.view.locator("button, input, select, canvas, summary, pre, [tabindex='0']")
    count = 0
    for control in controls.all():
        if control.is_visible() and control.get_attribute("type") != "file":
            control.focus()
            press(shown, "d", "ArrowUp", "ArrowDown", "Escape", "Control+s")
            count += 1
    heard = shown.page.evaluate("heard")
    assert heard.count(["s", "first", False]) == heard.count(["s", "last", False]) == count > 20
    kept = [key for key in heard if key[0] not in ("s", "Control")]
    assert kept.count(["d", "first", True]) == count
    assert {tuple(key[1:]) for key in kept} == {("first", True)}
