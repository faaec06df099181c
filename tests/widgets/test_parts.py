"""The other parts: what they check, what they tell, and what they send."""

import numpy as np
import pytest
import torch
import traitlets

from convkit import ConvkitError
from convkit.widgets import (
    ArrayEditor,
    Choice,
    Code,
    FileButton,
    Frames,
    History,
    NumberTable,
    Picture,
    Player,
    Plot,
    Slider,
    Status,
)
from tests.widgets.driver import receive_state, send, sent_by


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (Status("busy with it", "busy"), "Status (busy): busy with it"),
        (Slider("weight", -4, 4, 1), "Slider: weight, at 1 from -4 to 4"),
        (Player("step", max=25, value=6), "Player: step 6 of 25"),
        (Picture("input, photo"), "Picture: input, photo"),
        (Choice("look", {"grey": "", "signed": ""}), "Choice: look is grey"),
        (Code("torch code", "K\nX"), "Code: torch code, 2 lines"),
        (FileButton("open a picture"), "FileButton: open a picture"),
        (History({}), "History: reset"),
        (Plot("loss", [300, 200]), "Plot: loss"),
        (Frames("<p></p>"), "Frames: 0 frames of 0 slots, frame 0 on show"),
    ],
)
def test_each_part_has_a_text_that_is_the_same_on_every_run(part, text):
    assert repr(part) == text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Slider("weight", -4, 4, 5), "value is 5; expected a position from -4 to 4"),
        (lambda: Slider("weight", 4, -4, 0), "value is 0; expected a position from 4 to -4"),
        (lambda: Player(max=3, value=4), "value is 4; expected a position from 0 to 3"),
        (lambda: Player(max=-1), "value is 0; expected a position from 0 to -1"),
        (lambda: Player(max=3, interval=0), "interval is 0; expected milliseconds"),
        (lambda: Choice("look", {}), "no options; expected at least one option"),
        (lambda: Frames().show([["a"], ["a", "b"]]), "texts has frames of 1 and 2 slots"),
        (lambda: Frames().show([["a"]], [["x", "y"]]), "classes has 2 entries; expected 1"),
        (
            lambda: Frames().show([[str(n) for n in range(2**16 + 1)]]),
            "slots hold 65537 different things",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_words(make, message):
    with pytest.raises(ConvkitError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("part", "trait", "value"),
    [
        (Status(), "kind", "loud"),
        (Picture(), "frame_role", "target"),
        (Picture(), "shape", [1, 2, 3]),
        (Picture(), "pointed", [1, 2, 3]),
        (NumberTable("input", "X"), "pointed", [1, 2, 3]),
        (ArrayEditor(torch.eye(2)), "cell", []),
        (ArrayEditor(torch.eye(2)), "cell", ["a", "b"]),
        (ArrayEditor(torch.eye(2)), "cell", [-1, 0]),
        (Plot("p", [1, 1]), "pick", "line"),
    ],
)
def test_a_trait_takes_only_what_it_means(part, trait, value):
    with pytest.raises(traitlets.TraitError):
        setattr(part, trait, value)


@pytest.mark.parametrize(
    ("part", "traits"),
    [
        (Slider("weight", -4, 4, 1), {"value": 3}),
        (Player("step", max=25), {"value": 9, "playing": True}),
        (Picture("input"), {"cell": [1, 2], "pointed": [3, 4]}),
        (Plot("loss", [300, 200], pick="index"), {"index": 3}),
        (Frames(), {"index": 3}),
    ],
)
def test_what_the_browser_moves_arrives_and_is_not_sent_back(part, traits):
    with sent_by(part) as messages:
        receive_state(part, **traits)
    assert {name: getattr(part, name) for name in traits} == traits
    assert messages == []


@pytest.mark.parametrize("part", [Picture(), NumberTable("input", "X")])
def test_where_the_pointer_is_arrives_and_is_not_sent_back(part):
    with sent_by(part) as messages:
        for sent, kept in (([3, 4], [3, 4]), ([1], [3, 4]), ([True, 1], [3, 4]), ([], [])):
            send(part, {"pointed": sent})
            assert part.pointed == kept
    assert messages == []


def test_a_point_chosen_in_a_plot_is_told_and_answered():
    plot, points = Plot("surface", [300, 200]), []
    plot.on_point(lambda x, y: points.append((x, y)))
    with sent_by(plot) as messages:
        send(plot, {"x": 50, "y": 60.5, "stamp": 7.0})
    assert points == [(50.0, 60.5)]
    assert [message["state"] for message in messages] == [{"answered": 7.0}]


def test_a_point_is_answered_even_where_its_handler_fails(caplog):
    def fail(x, y):
        raise ConvkitError("x is bad", "a good one", "Click elsewhere.")

    plot = Plot("surface", [300, 200])
    plot.on_point(fail)
    send(plot, {"x": 1, "y": 2, "stamp": 8.0})
    assert plot.answered == 8.0 and "x is bad" in caplog.text


@pytest.mark.parametrize("message", [{}, {"x": 1}, {"x": "1", "y": 2}, {"x": None, "y": 2}, []])
def test_messages_that_are_no_point_are_ignored(message):
    plot, points = Plot("surface", [300, 200]), []
    plot.on_point(lambda x, y: points.append((x, y)))
    send(plot, message)
    assert points == []


def test_frames_are_codes_of_their_texts_and_classes():
    texts = [["0", "26.9"], ["1", "14.2"], ["2", "26.9"]]
    classes = [["", "t0"], ["", "t5"], ["", "t0"]]
    frames = Frames()
    with sent_by(frames) as messages:
        frames.show(texts, classes, html='<b data-slot="0"></b><i data-slot="1"></i>')
    shown = decoded(frames, count=3)
    assert [[text for text, _ in row] for row in shown] == texts
    assert [[name for _, name in row] for row in shown] == classes
    assert len(frames.contents) == 5 and len(messages) == 1
    frames.show(texts, announcements=["zero", "one", "two"])
    assert frames.contents[0] == ["0", None] and frames.html.startswith("<b")
    assert frames.announcements[1] == "one"


def test_slots_that_hold_the_same_are_sent_once():
    texts = [[str(n), "x", str(n), str(-n)] for n in range(9)]
    frames = Frames()
    frames.show(texts)
    assert [[text for text, _ in row] for row in decoded(frames, count=9)] == texts
    assert len(frames.codes) == 2 * 9 * 3 and len(frames.columns) == 2 * 4


def decoded(frames, count):
    """Return what each slot holds in each of `count` frames, as the browser reads it."""
    codes = np.frombuffer(frames.codes, "<u2").reshape(count, -1)
    columns = np.frombuffer(frames.columns, "<u2")
    return [[frames.contents[row[k]] for k in columns] for row in codes]


def test_history_calls_what_is_pressed_and_nothing_else():
    pressed = []
    history = History({name: lambda name=name: pressed.append(name) for name in ("undo", "redo")})
    for content in ({"press": "undo"}, {"press": "close"}, "undo", {"press": "redo"}):
        send(history, content)
    assert pressed == ["undo", "redo"]


def test_a_file_button_hands_over_name_and_bytes_of_a_whole_message_only():
    files, part = [], FileButton("open a picture")
    part.on_file(lambda name, data: files.append((name, data)))
    send(part, {"name": "a.png"}, b"1234")
    send(part, {"name": "no bytes.png"})
    send(part, {"size": 4}, b"1234")
    assert files == [("a.png", b"1234")]
