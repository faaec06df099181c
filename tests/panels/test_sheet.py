"""Stored pictures, by their pixels."""

import io
import subprocess
import sys
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image

from convkit.panels import KernelEditor
from convkit.panels._descent_figure import SURFACE_BOX, descent_sheet
from convkit.panels._loss_plots import LossSurface
from convkit.panels._sheet import INK, Shapes, Sheet, pictures
from convkit.ui import Scale
from convkit.ui.theme import COLOURS, tint
from tests.panels.test_descent_stepper import stepper

SIGNED = Scale("signed", -1, 1)


def pixels(sheet):
    data, _ = sheet.data("")
    return np.asarray(Image.open(io.BytesIO(b64decode(data["image/png"]))).convert("RGBA"))


def colour(name):
    return [*bytes.fromhex(name[1:]), 255]


def test_cells_have_their_colours_where_they_belong():
    values = torch.linspace(-1, 1, 9 * 12).reshape(9, 12)
    sheet = Sheet(140, 110)
    sheet.draw((10, 4, 120, 90), values, SIGNED)
    drawn = pixels(sheet)
    for i, j in np.ndindex(9, 12):
        seen = drawn[round(1.5 * (4 + 10 * i + 5)), round(1.5 * (10 + 10 * j + 5))]
        assert np.abs(seen - np.array(colour(tint(values[i, j].item())))).max() <= 3
    assert drawn[:, :12, 3].max() == drawn[-10:, :, 3].max() == 0


def test_numbers_are_written_on_large_cells_alone():
    counts = []
    for width in (120, 12):
        sheet = Sheet(140, 140)
        sheet.draw((10, 10, width, 120), torch.zeros(4, 4), SIGNED)
        counts.append((pixels(sheet)[16:190, 16:-16] == [0, 0, 0, 255]).all(-1).sum())
    assert counts[0] > 100 and counts[1] == 0


def test_words_end_and_begin_where_they_are_anchored():
    for anchor, (first, last) in {"ls": (30, 90), "rs": (0, 30), "ms": (10, 50)}.items():
        sheet = Sheet(100, 40)
        sheet.write(30, 30, "words", anchor=anchor)
        drawn = pixels(sheet)
        columns = np.flatnonzero(drawn[:, :, 3].any(0)) / 1.5
        assert first - 1 <= columns.min() and columns.max() <= last + 1
        assert (drawn[drawn[:, :, 3] > 0][:, :3] == colour(INK)[:3]).all()


def test_words_upwards_are_taller_than_wide_around_their_middle():
    sheet = Sheet(100, 100)
    sheet.write_upwards(50, 40, "direction", 12)
    rows, columns = (np.flatnonzero(pixels(sheet)[:, :, 3].any(axis)) / 1.5 for axis in (1, 0))
    assert np.ptp(rows) > 3 * np.ptp(columns)
    assert abs((rows.min() + rows.max()) / 2 - 40) < 2 and abs(columns.mean() - 50) < 4


def test_shapes_lie_in_the_frame_in_css_pixels():
    shapes = Shapes(40, 20, "#ffffff")
    shapes.dot((30, 5), "#ff0000", 3)
    shapes.line([(0, 15), (40, 15)], "#0000ff", 2)
    sheet = Sheet(60, 40)
    sheet.paste((10, 10, 40, 20), shapes)
    drawn = pixels(sheet)
    assert drawn[round(1.5 * 15), round(1.5 * 40)].tolist() == colour("#ff0000")
    assert drawn[round(1.5 * 25), 20].tolist() == drawn[round(1.5 * 25), 70].tolist()
    assert drawn[round(1.5 * 25), 20].tolist() == colour("#0000ff")
    assert drawn[round(1.5 * 12), round(1.5 * 15)].tolist() == colour("#ffffff")


def test_the_key_runs_from_high_at_the_top_to_low():
    sheet = Sheet(60, 100)
    sheet.draw_key((10, 0, 10, 100), SIGNED)
    drawn = pixels(sheet)
    top, middle, bottom = (drawn[row, 22, :3].astype(int) for row in (3, 75, 146))
    assert top[0] > top[2] and bottom[2] > bottom[0] and middle.min() > 240


@pytest.mark.parametrize("shape", [(1, 4096), (4096, 1), (17, 3)])
def test_arrays_of_any_shape_are_drawn(shape):
    X = torch.rand(shape)
    sheet = pictures({"X": (X, Scale.fitted(X)), "Y": (X, Scale.fitted(X))})
    assert pixels(sheet)[:, :, 3].any()


def test_the_path_of_a_descent_ends_where_the_step_on_show_is():
    panel = stepper()
    panel.n = 3
    result = panel.store.result
    surface = LossSurface(result.quadratic, result.state.start)
    ((x, y),) = surface.to_pixels([result.descent.kernels[3]])
    drawn = pixels(descent_sheet(result))
    left, top, *_ = SURFACE_BOX
    seen = drawn[round(1.5 * (top + y)), round(1.5 * (left + x))]
    assert seen.tolist() == colour(COLOURS["path"])


def test_a_first_panel_and_its_stored_picture_load_no_matplotlib():
    """They are shown sooner, and take 38 MiB less."""
    code = """
import sys
from convkit import photo, kernel
from convkit.panels import DescentStepper, KernelEditor
for panel in (KernelEditor(), DescentStepper(photo(32), target=kernel("Sobel x"))):
    assert "image/png" in panel._repr_mimebundle_()[0]
print("matplotlib" in sys.modules)"""
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "False\n"


def test_two_equal_panels_are_stored_as_equal_bytes():
    one, two = (KernelEditor().fallback()[0]["image/png"] for _ in range(2))
    assert one == two
