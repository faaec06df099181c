"""Untrusted image files: the right picture, or a refusal in words, before the costly part."""

import pytest
import torch
from PIL import ImageFile
from torch.testing import assert_close

from convkit import ConvkitError, open_image
from tests.untrusted_images import CASES, FILES

PICTURES = [name for name, case in CASES.items() if not isinstance(case.expected, str)]
REFUSED = [name for name in CASES if name not in PICTURES]


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_read(name):
    case = CASES[name]
    expected = torch.from_numpy(case.expected.astype("float32"))
    assert_close(open_image(case.make()), expected, rtol=0, atol=case.tolerance)


@pytest.mark.parametrize("name", REFUSED)
def test_the_file_is_refused(name):
    with pytest.raises(ConvkitError, match=CASES[name].expected):
        open_image(CASES[name].make())


@pytest.mark.parametrize("name", ["dimensions beyond Pillow's limit", "dimensions beyond ours"])
def test_the_file_is_refused_before_it_is_decoded(name, monkeypatch):
    decoded = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded.append)
    with pytest.raises(ConvkitError):
        open_image(CASES[name].make())
    assert decoded == []


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(kind, share):
    data = FILES[kind]
    with pytest.raises(ConvkitError, match="cannot be read as a picture"):
        open_image(data[: int(len(data) * share)])
