"""What changes in many widgets goes to the browser in one message."""

from functools import partial

import pytest
from ipywidgets import HTML

from convkit.widgets import Picture, Slider
from convkit.widgets._batch import Batch
from tests.widgets.driver import receive_state, send, sent_by


@pytest.fixture
def batch():
    """Return a batch that a browser listens to."""
    made = Batch()
    send(made, {"listening": True})
    return made


def test_changes_of_many_widgets_are_one_message(batch):
    text, picture, other = HTML(), Picture(), HTML()
    with sent_by(batch) as together, sent_by(text) as alone:
        with batch.hold([text, picture, other]):
            text.value = "not this"
            text.value = "this"
            picture.pixels = b"\1\2"
        text.value = "later"
    [message] = together
    sent = {update["model"]: update["message"] for update in message["content"]["updates"]}
    assert sent.keys() == {text.model_id, picture.model_id}
    assert sent[text.model_id]["state"] == {"value": "this"}
    assert sent[picture.model_id]["buffer_paths"] == [["pixels"]]
    assert [message["state"] for message in alone] == [{"value": "later"}]


def test_without_a_listening_browser_each_widget_sends_its_own():
    batch, text = Batch(), HTML()
    with sent_by(batch) as together, sent_by(text) as alone, batch.hold([text]):
        text.value = "alone"
    assert (together, len(alone)) == ([], 1)


def test_what_has_changed_before_an_exception_is_sent(batch):
    text = HTML()
    with sent_by(batch) as together, pytest.raises(ZeroDivisionError), batch.hold([text]):
        text.value = "before"
        raise ZeroDivisionError
    assert len(together) == 1


def test_custom_messages_go_out_at_once_and_closed_widgets_are_left_alone(batch):
    part, closed = Picture(), HTML()
    closed.close()
    with sent_by(part) as alone, sent_by(batch) as together, batch.hold([part, closed]):
        part.send({"hello": 1})
        assert [message["content"] for message in alone] == [{"hello": 1}]
    assert together == []


def test_a_batch_inside_a_batch_is_part_of_it(batch):
    text = HTML()
    with sent_by(batch) as together:
        with batch.hold([text]), batch.hold([text]):
            text.value = "once"
        text.value = "alone"
    assert len(together) == 1


def test_a_page_that_is_loaded_again_gets_the_state_that_it_may_have_missed(batch):
    text, closed = HTML(), HTML()
    with batch.hold([text, closed]):
        text.value = closed.value = "sent while the page was loading"
    closed.close()
    with sent_by(text) as alone:
        send(batch, {"listening": True})
    assert [message["state"]["value"] for message in alone] == [text.value]


def test_what_a_handler_corrects_goes_back_with_its_answer(batch):
    slider, text = Slider("weight", 0, 9, 3), HTML()
    slider.together = partial(batch.hold, [slider, text])

    def at_most_5(change):
        slider.value = min(change["new"], 5)
        text.value = f"weight {slider.value}"

    slider.observe(at_most_5, "value")
    with sent_by(batch) as together, sent_by(slider) as alone:
        receive_state(slider, value=8)
    [message] = together
    states = [update["message"]["state"] for update in message["content"]["updates"]]
    assert {"value": 5} in states and {"value": "weight 5"} in states and alone == []
