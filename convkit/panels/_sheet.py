"""What is stored of a panel as a picture: arrays, plots and words, drawn by Pillow.

matplotlib would take most of the time in which a cell shows its panel, and 38 MiB.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from convkit import formatting
from convkit.formatting import minus
from convkit.images import matplotlib_file
from convkit.ui.theme import TOP, Scale, ink

PIXELS = 1.5
"""Of the picture, for each CSS pixel."""
FINER = 2
"""How many times as many pixels shapes are drawn with, so that their edges become smooth."""
INK, FRAME = "#767676", "#aaaaaa"
"""Greys that read on white and on black: the picture is transparent."""
MAX_NUMBERS = 8
"""The most rows and columns whose numbers are written on the cells."""
LEAST, LARGEST = 5.0, 11.0
"""The size of these numbers, in CSS pixels; smaller ones are left out."""
GAP, KEY_GAP = 24, 66
"""CSS pixels to the right of an array, without and with a key."""
TITLE, EDGE = 24, 10
"""CSS pixels above and below arrays."""
MAX_WIDTH, MAX_HEIGHT = 880, 270
"""CSS pixels of all arrays together."""

Box = tuple[float, float, float, float]
"""Left, top, width and height, in CSS pixels."""


class Sheet:
    """A transparent picture to draw on, in CSS pixels from the top left."""

    def __init__(self, width: float, height: float) -> None:
        size = round(width * PIXELS), round(height * PIXELS)
        self.width = round(width)
        self._image = Image.new("RGBA", size, f"{INK}00")
        self._pen = ImageDraw.Draw(self._image)

    def write(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 13.5,
        anchor: str = "ls",
        fill: str = INK,
    ) -> None:
        """Write words; the anchor is one of Pillow's, such as "ls" for the left end of the line."""
        font = _font(size * PIXELS)
        self._pen.text((x * PIXELS, y * PIXELS), words, fill=fill, font=font, anchor=anchor)

    def write_upwards(self, x: float, y: float, words: str, size: float) -> None:
        """Write words from bottom to top, whose middle is at a place."""
        font = _font(size * PIXELS)
        width, height = round(font.getlength(words)), round(2 * size * PIXELS)
        line = Image.new("RGBA", (width, height), f"{INK}00")
        ImageDraw.Draw(line).text((0, height / 2), words, fill=INK, font=font, anchor="lm")
        corner = round(x * PIXELS - height / 2), round(y * PIXELS - width / 2)
        self._image.paste(line.transpose(Image.Transpose.ROTATE_90), corner)

    def draw(self, box: Box, values: Tensor, scale: Scale, digits: int = 7) -> None:
        """Draw numbers (H, W) as cells in colour, and write them where there is space.

        Of a picture in colour, (3, H, W), the numbers are red, green and blue.
        """
        rows, columns = values.shape[-2:]
        if values.ndim == 3:
            shown = Image.frombytes("RGB", (columns, rows), scale.channels(values))
            return self._paste(box, shown.convert("RGBA"), Image.Resampling.NEAREST)
        shown = Image.frombytes("P", (columns, rows), scale.indices(values))
        shown.putpalette(scale.palette, "RGBA")
        self._paste(box, shown.convert("RGBA"), Image.Resampling.NEAREST)
        if max(rows, columns) <= MAX_NUMBERS:
            self._write_numbers(box, values, scale, digits)

    def _paste(self, box: Box, shown: Image.Image, resampling: Image.Resampling) -> None:
        """Paste an image into a frame."""
        left, top, width, height = (max(1, round(n * PIXELS)) for n in box)
        self._image.paste(shown.resize((width, height), resampling), (left, top))
        frame = left - 1, top - 1, left + width, top + height
        self._pen.rectangle(frame, outline=FRAME)

    def _write_numbers(self, box: Box, values: Tensor, scale: Scale, digits: int) -> None:
        texts = formatting.cell_texts(values, digits)
        left, top, width, height = box
        down, right = height / values.shape[0], width / values.shape[1]
        size = min(LARGEST, right / (0.68 * max(len(text) for row in texts for text in row)))
        if size < LEAST:
            return
        shades = np.frombuffer(scale.palette, np.uint8).reshape(256, 4)
        indices = np.frombuffer(scale.indices(values), np.uint8).reshape(values.shape)
        for i, j in np.ndindex(*values.shape):
            colour = ink("#" + shades[indices[i, j], :3].tobytes().hex())
            place = left + (j + 0.5) * right, top + (i + 0.5) * down
            self.write(*place, texts[i][j], size, "mm", colour)

    def draw_key(self, box: Box, scale: Scale) -> None:
        """Draw colours from the highest number to the lowest, and write the ends and zero."""
        column = Image.frombytes("P", (1, TOP + 1), bytes(range(TOP, -1, -1)))
        column.putpalette(scale.palette, "RGBA")
        self._paste(box, column.convert("RGBA"), Image.Resampling.BILINEAR)
        low, high = scale.low, scale.high
        for tick in (low, 0.0, high) if low < 0 < high else (low, high):
            y = box[1] + box[3] * (high - tick) / (high - low)
            self.write(box[0] + box[2] + 6, y, minus(formatting.number(tick)), 11, "lm")

    def paste(self, box: Box, shapes: Shapes) -> None:
        """Draw the shapes of a plot in their frame."""
        self._paste(box, shapes.image, Image.Resampling.BOX)

    def data(self, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the picture by its MIME type, and its metadata with an alternative text."""
        buffer = io.BytesIO()
        # Level 1 takes a third of the time of the default, and is 7% larger.
        self._image.save(buffer, "PNG", compress_level=1)
        shown = {"image/png": b64encode(buffer.getvalue()).decode()}
        return shown, {"image/png": {"alt": text, "width": self.width}}


class Shapes:
    """What is drawn in the frame of a plot, in CSS pixels from its top left."""

    def __init__(self, width: float, height: float, fill: str = "#00000000") -> None:
        self._unit = PIXELS * FINER
        size = round(width * self._unit), round(height * self._unit)
        self.image = Image.new("RGBA", size, fill)
        self._pen = ImageDraw.Draw(self.image)

    def _places(self, points: Any) -> list[tuple[float, float]]:
        return [(self._unit * x, self._unit * y) for x, y in points]

    def line(self, points: Any, colour: str, width: float) -> None:
        """Draw a line from point to point."""
        size = max(1, round(self._unit * width))
        self._pen.line(self._places(points), fill=colour, width=size, joint="curve")

    def polygon(self, points: Any, colour: str) -> None:
        """Draw a filled shape."""
        self._pen.polygon(self._places(points), fill=colour)

    def dot(self, point: Any, colour: str, radius: float) -> None:
        """Draw a dot."""
        (x, y), r = self._places([point])[0], self._unit * radius
        self._pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def pictures(arrays: Mapping[str, tuple[Tensor, Scale]]) -> Sheet:
    """Return arrays of one height, each under its title, the last one with a colour key."""
    ratios = {title: values.shape[-1] / values.shape[-2] for title, (values, _) in arrays.items()}
    space = GAP * (len(arrays) - 1) + KEY_GAP
    height = min(MAX_HEIGHT, (MAX_WIDTH - space) / sum(ratios.values()))
    sheet = Sheet(height * sum(ratios.values()) + space, TITLE + height + EDGE)
    left = 1.0
    for title, (values, scale) in arrays.items():
        box = left, TITLE, height * ratios[title], height
        sheet.write(left, TITLE - 8, title)
        sheet.draw(box, values, scale)
        left += box[2] + GAP
    sheet.draw_key((left - GAP + 8, TITLE, 9, height), scale)
    return sheet


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    path = matplotlib_file("fonts/ttf/DejaVuSans.ttf")
    # The other layout is there on some systems only, and sets letters elsewhere.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
