"""What changes in many widgets goes to the browser in one message."""

import pytest
from ipywidgets import HTML

from convkit.widgets import Picture
from convkit.widgets._batch import Batch
from tests.widgets.driver import send, sent_by


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
