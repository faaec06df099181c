"""Every file of the corpus, opened and uploaded: the right picture, or words; little memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="this system does not tell a process's memory")

from tests.untrusted_images import CORPUS  # noqa: E402

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def meter(tmp_path_factory):
    """Give a function that opens a file in a new process: see `strangers.measured`."""
    command = [sys.executable, "-m", "tests.untrusted_images"]
    path = tmp_path_factory.mktemp("strangers") / "file"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=PROJECT, **pipes) as process:

        def ask(label, *ways):
            path.write_bytes(CORPUS[label].make())
            for way in ways:
                asked = {"way": way, "label": label, "path": str(path)}
                print(json.dumps(asked), file=process.stdin, flush=True)
                yield json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@pytest.mark.parametrize("label", CORPUS)
def test_a_file_from_a_stranger(label, meter, record_property):
    opened, uploaded = meter(label, "by_open_image", "by_upload")
    row = {"file": label, "came of it": opened["came"].partition("; wanted")[0][:60]}
    row |= {"open MiB": opened["mib"], "s": opened["seconds"]}
    row |= {"panel MiB": uploaded["mib"], "s ": uploaded["seconds"]}
    record_property("table files from strangers", row)
    assert (opened["fault"], uploaded["fault"]) == ("", "")
    assert max(opened["mib"], uploaded["mib"]) <= CORPUS[label].mib


def test_the_meter_sees_a_bomb_that_is_decoded_whole(meter):
    label = "PNG that is 13000 × 13000"
    (told,) = meter(label, "without_limits")
    assert told["came"] == "13000 × 13000" and told["fault"] == ""
    assert told["mib"] > 13000 * 13000 / 2**20 - 8 > CORPUS[label].mib
