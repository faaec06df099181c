"""Panel: what code does with it, what it shares, faults of an author's view, and its end."""

import gc
import os
import weakref

import comm
import ipywidgets
import nbformat
import pytest
import torch
import traitlets
from jupyter_client.manager import start_new_kernel

from convkit import ConvkitError, ui
from tests.ui import sample
from tests.ui.driver import Page

# Fields as traits


def test_fields_are_observed_and_tensors_copied():
    panel = sample.panel()
    seen = []
    panel.observe(lambda change: seen.append((change["name"], change["old"], change["new"])))
    panel.observe(lambda change: seen.append("size alone"), "size")
    panel.size = 3
    panel.K.zero_()
    assert panel.K.tolist() == [[1, -1]]
    Page(panel).choose("mode", "avg")
    assert seen == ["size alone", ("size", 2, 3), ("mode", "max", "avg")]
    with pytest.raises(ConvkitError, match="size is 9"):
        panel.size = 9


def test_fields_are_linked_to_those_of_other_panels_and_ipywidgets():
    one, two = sample.panel(), sample.panel()
    slider = ipywidgets.IntSlider(1, 1, 4)
    traitlets.link((one, "size"), (two, "size"))
    traitlets.link((one, "size"), (slider, "value"))
    page = Page(two)
    slider.value = 3
    assert (one.size, two.size) == (3, 3) and page.shows_the_tree()
    two.size = 4
    assert (one.size, slider.value) == (4, 4)
    ipywidgets.VBox([one, slider])


def test_a_field_with_the_name_of_a_part_of_widgets_hides_nothing():
    class Odd(ui.State):
        layout: int = ui.fields.whole(1)
        style: str = ui.fields.checked(lambda name, value: value, "</style><script>")
        label: int = ui.fields.whole(1)
        store: int = ui.fields.whole(1)

    def compute(state, previous=None):
        return sample.SampleResult(state, None)

    def view(result):
        return ui.column(ui.header(""), ui.slider("layout", 0, 9, result.state.layout, "layout"))

    panel = ui.Panel(Odd(), compute, view)
    Page(panel).choose("layout", 5)
    panel.label = 7
    assert (panel.store.state.layout, panel.store.state.label) == (5, 7)
    assert isinstance(panel.layout, ipywidgets.Layout) and "<script>" not in panel.saved_html()


# What it shares with the process


def test_it_has_no_global_side_effects():
    """Finding 7."""
    settings = (torch.get_num_threads(), torch.get_default_dtype(), torch.get_rng_state().tolist())
    torch.set_num_threads(2)
    try:
        panel = sample.panel()
        page = Page(panel)
        page.type("K[0, 0]", "2")
        page.type("K[0, 0]", "x")
        panel.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(settings[0])
    after = (torch.get_num_threads(), torch.get_default_dtype(), torch.get_rng_state().tolist())
    assert after == settings


def test_what_it_does_itself_uses_one_thread_and_work_all():
    """On two busy cores, a descent recorded by two threads took five times as long."""
    seen = {}

    def noted(name, value):
        seen.setdefault(name, set()).add(torch.get_num_threads())
        return value

    class Noting(ui.Panel):
        def fallback(self):
            return noted("fallback", ({}, {}))

    class State(ui.State):
        n: int = ui.fields.whole(1)

    work = ui.Work(lambda report: noted("work", None), lambda result, _: result, "working", ())
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        panel = Noting(
            State(),
            lambda state, previous: noted("compute", sample.SampleResult(state, None)),
            lambda result: noted("view", ui.header("")),
            work=lambda result: work,
        )
        panel.n = 2
        panel._repr_mimebundle_()
    finally:
        torch.set_num_threads(before)
    assert seen == {"compute": {1}, "view": {1}, "fallback": {1}, "work": {2}}


def test_messages_are_small_and_one_an_edit():
    page = Page(sample.panel())
    page.type("K[0, 0]", "2")
    first = len(page.messages)
    page.choose("flip", True)
    assert (first, len(page.messages)) == (1, 2)
    page.choose("flip", True)
    assert [*page.messages[-1]["patches"]] == ["flip"]  # a choice shows what has become of it


def test_code_edits_reach_every_page_and_undo_is_told():
    panel = sample.panel()
    pages = [Page(panel), Page(panel)]
    panel.K = torch.ones(2, 2)
    pages[0].type("K[0, 0]", "5")
    assert all(page.shows_the_tree() for page in pages)
    panel.undo()
    pages[1].press("undo")
    assert panel.K.tolist() == [[1, -1]] and all(page.shows_the_tree() for page in pages)
    panel.redo()
    panel.reset()
    assert pages[0].status == panel.status and panel.K.tolist() == [[1, -1]]


def test_one_stroke_is_one_step_of_undo_and_esc_takes_it_back():
    page = Page(sample.panel())
    for text in ("2", "2.5"):
        page.type("K[0, 0]", text)
    page.type("K[0, 0]", "2.5x")
    page.escape("K[0, 0]")
    assert page.panel.K.tolist() == [[1, -1]] and not page.has_error
    page.type("word", "b")
    page.leave()
    page.type("word", "bc")
    page.escape("K[0, 0]")
    assert page.panel.word == "bc"
    page.escape("word")
    page.press("undo")
    assert page.panel.word == "a"


# Faults


@pytest.fixture
def faulty():
    """Give a panel whose view fails for a word, and what it is told."""

    def view(result):
        if result.state.word == "fail":
            raise ZeroDivisionError("<i>division</i>")
        return sample.view(result)

    return ui.Panel(sample.SampleState(), sample.compute, view)


def test_a_fault_of_a_view_is_shown_and_the_last_good_state_stays(faulty, caplog):
    """Finding 6."""
    page, other = Page(faulty), Page(faulty)
    page.type("K[0, 0]", "2")
    page.leave()
    before, tree = faulty.store.snapshot(), str(page.html)
    page.type("word", "fail")
    assert page.status == "This is a fault of the panel: ZeroDivisionError: <i>division</i>"
    assert faulty.word == "a" and faulty.store.snapshot() == before
    assert page.has_error and page.shows_the_tree() and other.shows_the_tree()
    page.choose("step", 0)
    assert str(page.html) == tree and not page.has_error
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    with pytest.raises(ZeroDivisionError):
        faulty.word = "fail"
    assert faulty.word == "a" and page.shows_the_tree()
    caplog.clear()


@pytest.mark.parametrize("when", ["first", "rest"])
def test_a_fault_while_a_hand_moves_goes_back_too(when, caplog):
    broken = []

    def view(result):
        if broken and when == "rest":
            raise ZeroDivisionError
        return sample.view(result)

    def first(result):
        if broken and when == "first":
            raise ZeroDivisionError
        return [node for node in sample.view(result) if node.name in ("output", "size")]

    state = sample.SampleState()
    panel = ui.Panel(state, sample.compute, view, first=first, rest_waits=True)
    page = Page(panel)
    broken.append(True)
    page.choose("size", 3, moving=True)
    page.post({"rest": True})
    assert panel.size == 2 and "fault" in page.status and page.shows_the_tree()
    broken.clear()
    page.choose("size", 3, moving=True)
    page.post({"rest": True})
    assert panel.size == 3 and not page.has_error and page.shows_the_tree()
    caplog.clear()


def test_a_hand_that_moves_is_answered_with_what_comes_first_alone():
    def first(result):
        return [node for node in sample.view(result) if node.name in ("output", "size")]

    state = sample.SampleState()
    panel = ui.Panel(state, sample.compute, sample.view, first=first, rest_waits=True)
    page = Page(panel)
    answer = page.choose("size", 3, moving=True)
    assert answer["partial"] and set(answer["patches"]) <= {"output", "size", "window cursor"}
    assert page.texts("output")[0] == ["18", "21"] and page.status == "max pooling: 3 × 4."
    page.post({"rest": True})
    assert page.shows_the_tree() and page.status == "max pooling: 2 × 2."
    page.choose("size", 4, moving=True)
    page.load()  # a page that is loaded again while a hand moves shows all
    assert page.shows_the_tree() and page.status == "max pooling: 1 × 2."


def test_a_fault_in_an_event_is_no_fault_of_the_next(faulty, caplog):
    page = Page(faulty)
    faulty.store.observe(lambda change: 1 / 0, "result")
    page.choose("flip", True)
    assert "ZeroDivisionError" in page.status
    caplog.clear()
    faulty.store.unobserve_all()


def test_what_is_refused_goes_back_and_says_why():
    page = Page(sample.panel())
    page.panel.X = torch.ones(2, 2)
    answer = page.choose("size", 3)
    assert "size is 3" in answer["refused"] == page.status and page.panel.size == 2
    assert "size" in answer["patches"]  # the control is told its value again


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_panel_that_is_refused_leaves_nothing():
    with pytest.raises(ConvkitError, match="size is 2"):
        ui.Panel(sample.SampleState(torch.ones(1, 1)), sample.compute, sample.view)
    gc.collect()


# Following


def test_a_panel_follows_another():
    one, two = sample.panel(), sample.panel()
    page = Page(two)
    two.follow(one, lambda result: {"K": result.state.K})
    Page(one).type("K[0, 0]", "5")
    assert two.K.tolist() == [[5, -1]] and page.shows_the_tree()
    one.K = torch.ones(1, 1)
    assert two.K.tolist() == [[1]] and page.shows_the_tree()
    two.unfollow()
    one.K = torch.zeros(1, 1)
    assert two.K.tolist() == [[1]]
    with pytest.raises(ConvkitError, match="a str to follow"):
        two.follow("one", lambda result: {})


def test_a_ring_of_panels_that_follow_each_other_settles():
    panels = [sample.panel() for _ in range(3)]
    counts = [0, 0, 0]

    def count(n):
        counts[n] += 1

    for n, panel in enumerate(panels):
        panel.follow(panels[n - 1], lambda result: {"K": result.state.K})
        panel.store.observe(lambda _, n=n: count(n), "result")
    Page(panels[1]).type("K[0, 0]", "3")
    assert all(panel.K.tolist() == [[3, -1]] for panel in panels) and counts == [1, 1, 1]


@pytest.mark.parametrize("by_page", [True, False])
def test_what_a_follower_refuses_shows_in_its_own_status(by_page):
    leader, follower = sample.panel(), sample.panel()
    pages = Page(leader), Page(follower)
    follower.X = torch.ones(3, 3)
    follower.follow(leader, lambda result: {"size": result.state.size})

    def set_size(size):
        if by_page:
            pages[0].choose("size", size)
        else:
            leader.size = size

    set_size(4)
    assert follower.size == 2 and "size is 4" in pages[1].status and not pages[0].has_error
    set_size(2)
    assert not pages[1].has_error  # it has the same size again
    assert all(page.shows_the_tree() for page in pages)


def test_a_faulty_select_is_named_as_the_users():
    """Finding 71."""
    leader, follower = sample.panel(), sample.panel()
    page = Page(follower)
    follower.follow(leader, lambda result: {"size": {2: 2}[result.state.size]})
    leader.size = 3
    assert page.status.startswith("the function given to follow() raised KeyError: 3")


# Its end


def live():
    gc.collect()
    widgets = sum(issubclass(type(thing), ipywidgets.Widget) for thing in gc.get_objects())
    return widgets, len(comm.get_comm_manager().comms)


def test_closed_panels_are_freed():
    def make_and_close():
        one, two = sample.panel(), sample.panel()
        two.follow(one, lambda result: {"K": result.state.K})
        Page(one).type("K[0, 0]", "5")
        ends = weakref.ref(one), weakref.ref(two)
        one.close()
        two.close()
        return ends

    make_and_close()
    before = live()
    ends = [make_and_close() for _ in range(5)]
    assert live() == before
    assert all(end() is None for pair in ends for end in pair)


def test_a_closed_panel_has_its_last_state_and_follows_nothing():
    one, two = sample.panel(), sample.panel()
    two.follow(one, lambda result: {"K": result.state.K})
    page = Page(two)
    two.close()
    one.K = torch.ones(1, 1)
    page.type("K[0, 0]", "5") if two.comm else None
    assert two.K.tolist() == [[1, -1]] and not two.store.can_undo
    two.close()


@pytest.fixture(scope="module")
def kernel():
    """Give a kernel, and a function that runs code in it as a cell of a front end."""
    manager, client = start_new_kernel(env=os.environ | {"PYTHONPATH": os.getcwd()})

    def run(code, cell):
        content = {"code": code, "silent": False, "user_expressions": {}, "allow_stdin": False}
        header = client.session.msg("execute_request", content, metadata={"cellId": cell})
        client.shell_channel.send(header)
        shown = []
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != header["header"]["msg_id"]:
                continue
            kind, said = message["msg_type"], message["content"]
            assert kind != "error", said
            if kind == "status" and said["execution_state"] == "idle":
                return shown
            if kind == "stream":
                shown.append(said["text"])

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_cell_that_is_run_again_frees_what_it_showed(kernel):
    """Finding 5."""
    count = "print(len(comm.get_comm_manager().comms))"
    kernel("import comm\nfrom tests.ui import sample\npanel = sample.panel()\npanel", "a")
    (first,) = kernel(count, "b")
    for _ in range(9):
        kernel("panel = sample.panel()\npanel", "a")
    kernel("kept = sample.panel()", "c")  # made, not shown: it may be shown elsewhere
    kernel("kept", "d")
    kernel("panel = sample.panel()\npanel", "a")
    (last,) = kernel(f"kept.size = 3\n{count}", "b")
    assert int(last) == 2 * int(first)


EDITS = """\
import comm, gc, psutil, torch
from tests.ui import sample
from tests.ui.driver import Page
leader, panel = sample.panel(), sample.panel(work=sample.slow(0))
panel.follow(leader, lambda result: {"X": result.state.X})
page = Page(leader)
def edit(n):
    leader.X = torch.full((12, 12), float(n))
    page.type("K[0, 0]", str(n % 7 + 1))
    page.messages.clear()
def held():
    gc.collect()
    return len(comm.get_comm_manager().comms), psutil.Process().memory_info().rss
for n in range(110):
    edit(n)
comms, before = held()
for n in range(110, 170):
    edit(n)
print(held()[0] - comms, held()[1] - before)
"""


def test_edits_leave_nothing_behind_in_the_process(kernel):
    """Finding 4: of the process, because tracemalloc does not see tensors."""
    (told,) = kernel(EDITS, "e")
    comms, grown = map(int, told.split())
    assert comms == 0 and grown < 3 * 2**20


# Where nothing runs


def test_what_a_notebook_stores_is_the_saved_form_and_the_words():
    panel = sample.panel()
    data, metadata = panel._repr_mimebundle_()
    assert data["text/plain"] == repr(panel) and repr(panel).startswith(
        "Panel: max pooling: 3 × 4."
    )
    assert data["text/html"] == panel.saved_html() and "<script" not in panel.saved_html()
    assert "application/vnd.jupyter.widget-view+json" in data
    nbformat.validate(
        nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_code_cell(
                    outputs=[nbformat.v4.new_output("display_data", data, metadata=metadata)]
                )
            ]
        )
    )


def test_an_observer_that_raises_leaves_no_stale_page():
    shown = Page(sample.panel())
    shown.panel.observe(lambda change: 1 / 0, "size")
    with pytest.raises(ZeroDivisionError):
        shown.panel.size = 3
    assert shown.panel.size == 3 and "3 cells" in repr(shown.panel)
    assert shown.shows_the_tree()
    shown.panel.unobserve_all("size")
    shown.panel.size = 1
    assert "1 cells" in repr(shown.panel) and shown.shows_the_tree()
