"""The parts alone, in a real JupyterLab: by pointer, by keys, and while the kernel is busy."""

import re

import pytest
from playwright.sync_api import expect

from convkit.views.html import tint
from tests.browser.page_objects import box, button, number_box, opened, picture, slider, type_in

PARTS = """\
import ipywidgets
import numpy as np
def greys(shape):
    part = Picture(f"picture {shape[0]} x {shape[1]}", width=4 * shape[1])
    part.shape, part.palette = list(shape), bytes(k for n in range(256) for k in (n, n, n, 255))
    part.pixels = bytes(k % 256 for k in range(shape[0] * shape[1]))
    part.pointable = True
    return part
def path_plot(pick):
    part = Plot(f"plot of {pick}", [200, 150], pick=pick)
    part.path = np.array([[20 + 16 * k, 120 - 10 * k] for k in range(11)], "f4").tobytes()
    part.clickable = True
    return part
"""
EDITOR = """\
edits = []
editor = ArrayEditor(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "kernel", symbol="K")
editor.on_edit(lambda value, cell: edits.append(value.tolist()))
editor"""
SLIDER = """\
part = Slider("weight", -40, 40, 0, valuetext="weight 0")
part.observe(lambda change: setattr(part, "valuetext", f"weight {part.value / 10}"), "value")
part"""
LIMITED_SLIDER = """\
part = Slider("weight", -40, 40, 0)
def limit(change):
    if change["new"] > 20:
        part.value, part.valuetext = 20, f"{change['new']} is too much"
part.observe(limit, "value")
part"""
PLAYER = """\
player, plot = Player("step", max=10, interval=60), path_plot("index")
frames = Frames('<b data-slot="0"></b> <i data-slot="1" class=""></i>')
frames.show([[f"frame {k}", "constant"] for k in range(11)], [["", f"c{k}"] for k in range(11)])
links = Links()
links.connect((player, "value"), (plot, "index"), (frames, "index"))
links.connect((plot, "index"), (player, "value"), is_told=True)
ipywidgets.VBox([player, plot, frames])"""
PICTURES = """\
source, target = greys((20, 30)), greys((9, 14))
source.cells = target.cells = [9, 14]
source.start, source.stride, source.window = [-1, -1], [2, 2], [3, 3]
source.cell = target.cell = [2, 2]
target.frame_role = "output"
links = Links()
for name in ("cell", "pointed"):
    links.connect((source, name), (target, name), is_told=True)
    links.connect((target, name), (source, name), is_told=True)
ipywidgets.VBox([source, target])"""
POINTS = """\
points, part = [], path_plot("point")
part.on_point(lambda x, y: points.append([round(x), round(y)]))
part"""
PANEL = """\
status = Status("ready")
controls = [ipywidgets.Dropdown(options=["a", "b"], description="letter"),
            ipywidgets.Button(description="press")]
panel = ipywidgets.VBox([status, *controls])
panel.add_class("ck-panel")
panel"""
ALL = """\
editor = ArrayEditor(torch.tensor([[1.0, 2.0]]), "kernel", symbol="K")
ipywidgets.VBox([editor, Slider("weight", 0, 9, 3), Player("step", max=10), greys((20, 30)),
                 path_plot("index")])"""
BUSY = "time.sleep(2.5)"
# The area inside the frame's line of 2 px, which has the kernel's colour; the canvas reaches over
# the picture by 4 px.
FRAMED = """canvas => {
    const {data, width} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const line = [];
    for (let k = 0; k < data.length / 4; k++)
        if (data.slice(4 * k, 4 * k + 4).join() === "230,159,0,255")
            line.push([k % width, Math.floor(k / width)]);
    const [xs, ys] = [0, 1].map(axis => line.map(place => place[axis]));
    return [Math.min(...xs) - 2, Math.min(...ys) - 2, Math.max(...xs) - 5, Math.max(...ys) - 5];
}"""


@pytest.fixture(scope="module")
def notebook(lab, chromium):
    with opened(chromium, lab, "parts") as made:
        made.ask(PARTS)
        yield made


def ask(notebook, expression):
    """Return what an expression is in the kernel, as text."""
    return notebook.ask(f"print({expression})").strip()


def wait_for(notebook, expression, expected):
    """Wait until an expression in the kernel is as expected.

    After a busy cell a browser sends the newest state only when the kernel has taken the one
    before, so that the first questions can come too early.
    """
    for _ in range(10):
        if ask(notebook, expression) == expected:
            return
    raise AssertionError(f"{expression} is {ask(notebook, expression)}, not {expected}")


def css_colour(colour):
    """Return "#ff0080" as a browser writes it, "rgb(255, 0, 128)"."""
    return f"rgb({', '.join(str(channel) for channel in bytes.fromhex(colour[1:]))})"


def frame_of(panel, name):
    """Return the cell that the frame on a picture is at: "i,j"."""
    return picture(panel, name).locator("xpath=..").locator("[data-cell]")


def hover_pixel(canvas, row, column, pixel=4):
    """Move the pointer to the middle of a pixel of the full picture."""
    canvas.hover(position={"x": (column + 0.5) * pixel, "y": (row + 0.5) * pixel})


def test_names_and_roles_of_all_parts(notebook):
    snapshot = notebook.show(ALL).aria_snapshot()
    for line in (
        'group "kernel"',
        'textbox "K[0, 0]": "1"',
        'slider "weight": "3"',
        'button "first step" [disabled]',
        'button "play step"',
        'spinbutton "step": "0"',
        'slider "step": "0"',
        'img "picture 20 x 30"',
        'img "plot of index"',
    ):
        assert f"- {line}" in snapshot, snapshot


def test_every_control_is_large_enough_and_shows_its_focus(notebook):
    panel = notebook.show(ALL)
    controls = panel.locator("button, input, canvas:not([aria-hidden]), svg[tabindex]")
    assert controls.count() == 12
    for control in controls.all():
        size = control.bounding_box()
        assert min(size["width"], size["height"]) >= 24
        before = surroundings(notebook.page, size)
        control.press("Shift")  # focuses it, by the keyboard
        assert surroundings(notebook.page, size) != before
        notebook.page.evaluate("document.activeElement.blur()")


def surroundings(page, area):
    """Return the pixels of a control and of what lies around it."""
    x, y = area["x"] - 6, area["y"] - 6
    clip = {"x": x, "y": y, "width": area["width"] + 12, "height": area["height"] + 12}
    return page.screenshot(clip=clip, animations="disabled", caret="hide")


@pytest.mark.parametrize(
    ("source", "selector"),
    [
        (ALL, "input[type=text]"),
        (ALL, ".ck-slider input"),
        (ALL, ".ck-player button >> nth=2"),
        (ALL, ".ck-player input[type=number]"),
        (ALL, ".ck-player input[type=range]"),
        (ALL, "canvas"),
        (ALL, "svg[tabindex]"),
        (PANEL, "select"),
        (PANEL, "button"),
    ],
)
def test_no_key_reaches_the_notebook(notebook, source, selector):
    control = notebook.show(source).locator(selector).first
    control.focus()
    active = notebook.page.locator(".jp-Notebook .jp-mod-active")
    before = active.evaluate("cell => [...cell.parentNode.children].indexOf(cell)")
    # Were they not kept, these would leave the cell, add one, cut one, delete one.
    for key in ("ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp", "a", "b", "x", "d", "d", "m"):
        notebook.page.keyboard.press(key)
    expect(control).to_be_focused()
    assert active.evaluate("cell => [...cell.parentNode.children].indexOf(cell)") == before
    expect(notebook.page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)
    expect(notebook.page.locator(".jp-MarkdownCell")).to_have_count(0)


def test_a_typed_number_reaches_python(notebook):
    editor = notebook.show(EDITOR)
    type_in(box(editor, "K[0, 1]"), "-2.5")
    expect(box(editor, "K[0, 1]")).to_have_attribute("aria-invalid", "false")
    expect(box(editor, "K[0, 1]")).to_have_css("background-color", css_colour(tint(-10 / 20)))
    assert ask(notebook, "editor.value.tolist()") == "[[1.0, -2.5], [3.0, 4.0]]"


def test_a_refused_text_is_marked_and_others_stay_editable(notebook):
    editor = notebook.show(EDITOR)
    box(editor, "K[0, 0]").fill("2,,5")
    expect(box(editor, "K[0, 0]")).to_have_attribute("aria-invalid", "true")
    expect(box(editor, "K[0, 0]")).to_have_accessible_description(re.compile("is '2,,5'"))
    box(editor, "K[1, 0]").fill("7")
    expect(box(editor, "K[0, 0]")).to_have_value("2,,5")
    assert ask(notebook, "editor.value.tolist()") == "[[1.0, 2.0], [7.0, 4.0]]"
    notebook.ask("editor.show(editor.value, force=True)")
    expect(box(editor, "K[0, 0]")).to_have_value("1")
    expect(editor.get_by_text("is '2,,5'")).to_be_hidden()


def test_answers_to_earlier_keys_do_not_overwrite_later_ones(notebook):
    editor = notebook.show(EDITOR)
    first = box(editor, "K[0, 0]")
    notebook.start(BUSY)
    type_in(first, "-0.75")
    first.evaluate(
        """input => {
            input.seen = new Set();
            const look = () => { input.seen.add(input.value); requestAnimationFrame(look); };
            look();
        }"""
    )
    expect(first).to_have_css("background-color", css_colour(tint(-3 / 20)))
    assert first.evaluate("input => [...input.seen]") == ["-0.75"]
    assert ask(notebook, "editor.value[0, 0].item()") == "-0.75"


def test_arrows_and_enter_go_from_row_to_row(notebook):
    editor = notebook.show(EDITOR)
    box(editor, "K[0, 1]").press("ArrowDown")
    expect(box(editor, "K[1, 1]")).to_be_focused()
    box(editor, "K[1, 1]").press("ArrowDown")
    expect(box(editor, "K[1, 1]")).to_be_focused()
    box(editor, "K[1, 1]").press("ArrowUp")
    expect(box(editor, "K[0, 1]")).to_be_focused()
    box(editor, "K[0, 1]").press("Enter")
    notebook.page.keyboard.type("8")
    expect(box(editor, "K[1, 1]")).to_have_value("8")
    assert ask(notebook, "editor.cell") == "[1, 1]"


def test_arrows_go_to_the_box_beside_from_the_ends_of_a_text(notebook):
    editor = notebook.show(EDITOR)
    keys, left, right = notebook.page.keyboard, box(editor, "K[0, 0]"), box(editor, "K[0, 1]")
    left.press("End")
    keys.press("ArrowRight")
    expect(right).to_be_focused()  # all of its text is chosen, so both ends are at hand
    keys.press("ArrowLeft")
    expect(left).to_be_focused()
    keys.press("ArrowLeft")
    expect(left).to_be_focused()
    keys.press("Shift+ArrowRight")
    expect(left).to_be_focused()
    left.fill("123")
    keys.press("ArrowLeft")
    expect(left).to_be_focused()


def test_many_boxes_are_one_tab_stop(notebook):
    editor = notebook.show("editor = ArrayEditor(torch.eye(5), 'kernel', symbol='K')\neditor")
    keys = notebook.page.keyboard
    box(editor, "K[2, 3]").click()
    stops = "boxes => boxes.filter(box => box.tabIndex === 0).map(box => box.ariaLabel)"
    assert editor.get_by_role("textbox").evaluate_all(stops) == ["K[2, 3]"]
    keys.press("Shift+Tab")
    expect(box(editor, "K[2, 2]")).not_to_be_focused()
    keys.press("Tab")
    expect(box(editor, "K[2, 3]")).to_be_focused()


def test_a_pasted_block_is_a_new_array(notebook):
    editor = notebook.show(EDITOR)
    paste(box(editor, "K[0, 0]"), "1 0 -1\n2 0 -2")
    expect(box(editor, "K[1, 2]")).to_have_value("−2")
    expect(editor.get_by_role("textbox")).to_have_count(6)
    assert ask(notebook, "edits") == "[[[1.0, 0.0, -1.0], [2.0, 0.0, -2.0]]]"


def paste(target, text):
    target.evaluate(
        """(node, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", text);
            const options = { clipboardData, bubbles: true, cancelable: true };
            node.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        text,
    )


def test_a_slider_moves_by_keys_and_by_pointer(notebook):
    weight = slider(notebook.show(SLIDER), "weight")
    weight.press("ArrowRight")
    expect(weight).to_have_attribute("aria-valuetext", "weight 0.1")
    weight.click(position={"x": 2, "y": 14})
    expect(weight).to_have_attribute("aria-valuetext", "weight -4.0")
    assert ask(notebook, "part.value") == "-40"
    notebook.ask("part.value = 15")
    expect(weight).to_have_value("15")


def test_a_slider_set_back_while_dragged_shows_it_at_the_end_of_the_drag(notebook):
    panel = notebook.show(LIMITED_SLIDER)
    weight = slider(panel, "weight")
    area, mouse = weight.bounding_box(), notebook.page.mouse
    mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    mouse.down()
    mouse.move(area["x"] + area["width"] - 1, area["y"] + area["height"] / 2)
    expect(weight).to_have_attribute("aria-valuetext", "40 is too much")
    expect(weight).to_have_value("40")  # under the hand
    mouse.up()
    expect(weight).to_have_value("20")


def test_a_player_scrubs_linked_parts_while_the_kernel_is_busy(notebook):
    panel = notebook.show(PLAYER)
    notebook.start(BUSY)
    slider(panel, "step").press("End")
    expect(panel.locator("[data-slot='0']")).to_have_text("frame 10")
    expect(panel.locator("[data-slot='1']")).to_have_class("c10")
    expect(panel.locator(".ck-marker")).to_have_attribute("style", place_in_percent(180, 20))
    button(panel, "previous step").click()
    number_box(panel, "step").press("ArrowDown")
    expect(panel.locator("[data-slot='0']")).to_have_text("frame 8")
    expect(slider(panel, "step")).to_have_attribute("aria-valuetext", "step 8")
    number_box(panel, "step").fill("3")
    expect(panel.locator("[data-slot='0']")).to_have_text("frame 3")
    picture(panel, "plot of index").press("ArrowRight")
    expect(panel.locator(".ck-walked")).to_have_attribute("d", "M20,120L36,110L52,100L68,90L84,80")
    expect(notebook.page.locator(".jp-InputPrompt", has_text="[*]")).to_have_count(1)  # still busy
    wait_for(notebook, "player.value, plot.index", "4 4")
    assert ask(notebook, "frames.index") == "0"  # one message for a move, not one for each follower


def test_playing_stops_at_the_end_and_starts_over(notebook):
    panel = notebook.show(PLAYER)
    number_box(panel, "step").fill("7")
    button(panel, "play step").click()
    expect(button(panel, "pause step")).to_be_visible()
    expect(button(panel, "play step")).to_be_visible()
    expect(number_box(panel, "step")).to_have_value("10")
    wait_for(notebook, "player.value, player.playing", "10 False")
    notebook.ask("player.interval = 2000")
    button(panel, "play step").click()
    expect(panel.locator("[data-slot='0']")).to_have_text("frame 0")
    expect(panel.locator("[data-slot='0']")).to_have_text("frame 1")
    button(panel, "pause step").click()
    expect(button(panel, "play step")).to_be_visible()
    wait_for(notebook, "player.value, player.playing", "1 False")


def test_a_number_box_of_a_player_refuses_what_is_no_step(notebook):
    panel = notebook.show(PLAYER)
    step = number_box(panel, "step")
    step.fill("4")
    for text in ("", "11", "-1", "2.5"):
        step.fill(text)
        expect(panel.locator("[data-slot='0']")).to_have_text("frame 4")
    step.blur()
    expect(step).to_have_value("4")


def test_frames_touch_only_what_differs(notebook):
    panel = notebook.show(PLAYER)
    panel.evaluate(
        """node => {
            node.changed = [];
            const note = records => node.changed.push(...records.map(
                record => `${record.target.dataset.slot} ${record.type}`));
            const frames = node.querySelector(".ck-frames");
            const options = { attributes: true, childList: true, subtree: true };
            new MutationObserver(note).observe(frames, options);
        }"""
    )
    button(panel, "next step").click()
    expect(panel.locator("[data-slot='0']")).to_have_text("frame 1")
    assert panel.evaluate("node => node.changed") == ["0 childList", "1 attributes"]


def test_a_frame_follows_the_pointer_while_the_kernel_is_busy(notebook):
    panel = notebook.show(PICTURES)
    source, target = picture(panel, "picture 20 x 30"), picture(panel, "picture 9 x 14")
    notebook.start(BUSY)
    hover_pixel(source, 8, 12)  # the windows around it are centred on rows and columns 0, 2, 4 ...
    for name in ("picture 20 x 30", "picture 9 x 14"):
        expect(frame_of(panel, name)).to_have_attribute("data-cell", "4,6")
    hover_pixel(source, 19, 29)
    expect(frame_of(panel, "picture 20 x 30")).to_have_attribute("data-cell", "8,13")
    hover_pixel(target, 3, 5)
    expect(frame_of(panel, "picture 20 x 30")).to_have_attribute("data-cell", "3,5")
    left, top, right, bottom = frame_of(panel, "picture 20 x 30").evaluate(FRAMED)
    assert (left, top, right, bottom) == (4 * 9, 4 * 5, 4 * 9 + 12, 4 * 5 + 12)
    notebook.page.mouse.move(5, 5)
    expect(frame_of(panel, "picture 9 x 14")).to_have_attribute("data-cell", "2,2")
    expect(notebook.page.locator(".jp-InputPrompt", has_text="[*]")).to_have_count(1)  # still busy
    wait_for(notebook, "source.pointed, target.pointed, source.cell", "[] [] [2, 2]")


def test_a_click_and_arrow_keys_choose_the_cell(notebook):
    panel = notebook.show(PICTURES)
    target = picture(panel, "picture 9 x 14")
    target.click(position={"x": 4 * 1.5, "y": 4 * 8.5})
    notebook.page.mouse.move(5, 5)
    expect(frame_of(panel, "picture 20 x 30")).to_have_attribute("data-cell", "8,1")
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowLeft"):
        target.press(key)
    expect(frame_of(panel, "picture 20 x 30")).to_have_attribute("data-cell", "7,0")
    assert ask(notebook, "source.cell, target.cell") == "[7, 0] [7, 0]"


def test_a_picture_that_is_not_pointable_is_only_an_image(notebook):
    panel = notebook.show(PICTURES + "\nsource.pointable = False\nsource")
    source = picture(panel, "picture 20 x 30")
    source.click()
    expect(frame_of(panel, "picture 20 x 30")).to_have_attribute("data-cell", "2,2")
    assert source.get_attribute("tabindex") is None


def test_pixels_are_painted_through_the_palette(notebook):
    panel = notebook.show("part = greys((2, 3))\npart.palette = bytes(range(256)) * 4\npart")
    canvas = picture(panel, "picture 2 x 3")
    data = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    opaque = "part.palette = bytes(k for n in range(256) for k in (n, 2 * n % 256, 255 - n, 255))"
    notebook.ask(opaque)
    expected = [k for n in range(6) for k in (n, 2 * n, 255 - n, 255)]
    assert canvas.evaluate(data) == expected
    assert canvas.evaluate("c => [c.width, c.height]") == [3, 2]


def test_a_sampled_picture_is_as_tall_as_its_own_pixels(notebook):
    panel = notebook.show("part = greys((200, 1))\npart.full_shape, part.width = [600, 1], 1\npart")
    area = picture(panel, "picture 200 x 1").bounding_box()
    assert (area["width"], area["height"]) == (1, 200)


def test_a_file_that_is_too_large_is_cut_before_it_is_sent(notebook):
    panel = notebook.show(
        "sizes = []\nopener = FileButton('open', max_bytes=9)\n"
        "opener.on_file(lambda name, data: sizes.append(len(data)))\nopener"
    )
    for size in (9, 1000):
        file = {"name": "a.bin", "mimeType": "", "buffer": bytes(size)}
        panel.get_by_label("open").set_input_files([file])
    assert ask(notebook, "sizes") == "[9, 10]"


def test_a_point_of_a_plot_is_chosen_by_pointer_and_keys(notebook):
    plot = picture(notebook.show(POINTS), "plot of point")
    plot.click(position={"x": 100, "y": 50})
    assert ask(notebook, "points") == "[[100, 50]]"
    notebook.ask("points.clear()")
    plot.press("ArrowRight")
    assert ask(notebook, "points") == "[[24, 120]]"  # the path starts at 20, 120


def test_a_dragged_point_ends_where_the_pointer_does(notebook):
    plot = picture(notebook.show(POINTS), "plot of point")
    notebook.start(BUSY)
    area, mouse = plot.bounding_box(), notebook.page.mouse
    mouse.move(area["x"] + 50, area["y"] + 50)
    mouse.down()
    for k in range(1, 20):
        mouse.move(area["x"] + 50 + 5 * k, area["y"] + 50)
        notebook.page.evaluate("() => new Promise(requestAnimationFrame)")
    mouse.move(area["x"] + 500, area["y"] + 60)  # outside the plot
    mouse.up()
    # All the while Python was busy: it hears of the first point, and then of the last alone.
    wait_for(notebook, "points", "[[50, 50], [200, 60]]")


def test_a_point_of_a_curve_is_chosen_by_pointer_and_keys(notebook):
    panel = notebook.show(
        "part = path_plot('index')\npart.marker_texts = list('abcdefghijk')\npart"
    )
    plot, text = picture(panel, "plot of index"), panel.locator(".ck-marker-text")
    notebook.start(BUSY)
    plot.click(position={"x": 20 + 16 * 4 + 6, "y": 20})
    expect(text).to_have_text("e")
    for key, expected in (("ArrowRight", "f"), ("ArrowDown", "e"), ("Home", "a"), ("End", "k")):
        plot.press(key)
        expect(text).to_have_text(expected)
    wait_for(notebook, "part.index", "10")


def test_a_marker_outside_the_axes_is_an_arrow_at_their_edge(notebook):
    outside = "part.path = np.array([[30, 30], [500, 30]], 'f4').tobytes()\npart.index = 1\npart"
    marker = notebook.show(f"part = path_plot('point')\n{outside}").locator(".ck-marker")
    expect(marker).to_have_class("ck-marker ck-outside")
    # From the middle, (100, 75), towards (500, 30): the right edge is a quarter of the way.
    expect(marker).to_have_attribute("style", place_in_percent(200, 75 - 45 / 4, rotate=True))


def place_in_percent(x, y, rotate=False):
    """Return the style of something at a place in a plot of 200 x 150."""
    turn = r"rotate: -0\.11\d+rad; " if rotate else r"(rotate: ;)?"
    return re.compile(rf"^{turn}left: {x / 2:g}%; top: {100 * y / 150:.4g}\d*%;$")


def test_a_stretched_plot_fills_its_width_and_is_clicked_where_one_points(notebook):
    panel = notebook.show(
        "part = path_plot('point')\npart.stretch, points = True, []\n"
        "part.on_point(lambda x, y: points.append([round(x), round(y)]))\npart"
    )
    plot = picture(panel, "plot of point")
    width = plot.bounding_box()["width"]
    assert width > 400
    plot.click(position={"x": width / 4, "y": 30})
    assert ask(notebook, "points") == "[[50, 30]]"


def test_frames_say_where_they_have_moved_and_no_more(notebook):
    panel = notebook.show(
        PLAYER.replace(
            "ipywidgets.VBox", "frames.announcements = list('abcdefghijk')\nipywidgets.VBox"
        )
    )
    said = panel.locator(".ck-frames").get_by_role("status")
    said.evaluate(
        """node => {
            window.spoken = [];
            new MutationObserver(() => spoken.push(node.textContent)).observe(node, {
                childList: true, characterData: true, subtree: true });
        }"""
    )
    for _ in range(4):
        slider(panel, "step").press("ArrowRight")
    expect(said).to_have_text("e")
    notebook.ask("frames.announcement = 'edited'")
    expect(said).to_have_text("edited")
    assert notebook.page.evaluate("spoken") == ["e", "edited"]


def test_a_status_updates_the_text_of_one_live_region(notebook):
    panel = notebook.show(PANEL)
    region = panel.get_by_role("status")
    region.evaluate(
        """node => {
            window.spoken = [];
            window.region = node;
            const note = records => spoken.push(...records.map(record => record.target.data));
            new MutationObserver(note).observe(node, { characterData: true, subtree: true });
        }"""
    )
    notebook.ask("status.text, status.kind = 'x is bad', 'error'\nstatus.text = 'x is bad'")
    expect(panel.get_by_role("alert")).to_have_text("x is bad")
    notebook.ask("status.text, status.kind = 'ready again', 'note'")
    expect(panel.get_by_role("status")).to_have_text("ready again")
    assert notebook.page.evaluate("[spoken, region.isConnected]") == [
        ["x is bad", "ready again"],
        True,
    ]


def test_one_of_a_choice_is_chosen_by_pointer_and_arrow_keys(notebook):
    output = notebook.show('part = Choice("look", {"auto": "", "grey": "", "signed": ""})\npart')
    group = output.get_by_role("radiogroup", name="look")
    group.get_by_text("grey").click()
    expect(group.get_by_role("radio", name="grey")).to_be_checked()
    output.page.keyboard.press("ArrowRight")
    expect(group.get_by_role("radio", name="signed")).to_be_checked()
    assert ask(notebook, "part.value") == "signed"
    notebook.ask('part.value = "auto"')
    expect(group.get_by_role("radio", name="auto")).to_be_checked()


def test_code_is_copied_by_one_click(notebook):
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    output = notebook.show('part = Code("torch code", "import torch\\nK = 1 < 2")\npart')
    button(output, "copy the torch code").click()
    expect(output.get_by_role("status")).to_have_text("copied")
    copied = notebook.page.evaluate("navigator.clipboard.readText()")
    assert copied == "import torch\nK = 1 < 2"


def test_undo_redo_and_reset_are_pressed_by_keys_where_they_have_work(notebook):
    output = notebook.show(
        "pressed = []\n"
        "part = History({n: lambda n=n: pressed.append(n) for n in ('undo', 'redo', 'reset')})\n"
        "part.can_undo = True\npart"
    )
    for name in ("undo", "redo", "reset"):
        button(output, name).focus()
        notebook.page.keyboard.press("Enter")
    assert ask(notebook, "pressed") == "['undo', 'reset']"
