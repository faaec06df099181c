"""Bad and odd picture files, what is wanted of each, and a meter that opens one in a new process.

python -m tests.untrusted_images    answers lines of JSON with lines of JSON: see `measured`
"""

import io
import json
import os
import signal
import struct
import sys
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from convkit import ConvkitError, open_image, stripes
from convkit.images import MAX_BYTES
from convkit.state.setting import LARGEST_SIDE
from convkit.widgets import KernelEditor

SECONDS = 30
"""After which a file is taken to hang: many times what the slowest needs on a busy machine."""
UNREADABLE = "cannot be read as a picture; wanted a PNG, JPEG, WebP, BMP or GIF"
FAR_TOO_MANY = "the picture claims far too many pixels; wanted"
ONE_STEP, LOSSY = 1 / 255 + 1e-6, 6 / 255
MARKUP = "</style><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>\"&amp;"


class Case(NamedTuple):
    """A file, and what is wanted of it: a picture in [0, 1], or these words of a refusal."""

    make: Callable[[], bytes]
    wanted: np.ndarray | str
    tolerance: float = 1e-6
    mib: int = 64
    name: str = "picture.png"


CORPUS: dict[str, Case] = {}


def add(label: str, data: bytes | Callable[[], bytes], wanted: np.ndarray | str, *more, **options):
    """Put a file into the corpus, or a function that makes it where it is large."""
    CORPUS[label] = Case(data if callable(data) else lambda: data, wanted, *more, **options)


def encode(picture, kind: str, mode: str | None = None, **options) -> bytes:
    """Return an array or a Pillow picture as a file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


def luma(rgb: np.ndarray) -> np.ndarray:
    """Return grey as ITU-R 601 weighs it, in whole steps of 1/255."""
    return np.round(rgb.astype(np.float64) @ [0.299, 0.587, 0.114]) / 255


def exif(turn: int) -> Image.Exif:
    """Return EXIF that says how to turn the picture upright."""
    made = Image.Exif()
    made[0x0112] = turn
    return made


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG's chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def flat_png(width: int, height: int, bits: int = 8, colour: int = 0, rows: int | None = None):
    """Return a black PNG, in few bytes, of `rows` rows whatever height it claims."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    line, packer = bytes(1 + (width * bits * {0: 1, 6: 4}[colour] + 7) // 8), zlib.compressobj()
    packed = b"".join(packer.compress(line) for _ in range(height if rows is None else rows))
    data = chunk(b"IHDR", header) + chunk(b"IDAT", packed + packer.flush()) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def with_chunk(kind: bytes, body: bytes, times: int = 1) -> bytes:
    """Return the PNG of colours with more chunks after its header."""
    return PNG[:33] + chunk(kind, body) * times + PNG[33:]


def bmp(width: int, height: int, packing: int, body: bytes) -> bytes:
    """Return a BMP of a black palette, its lines as they are (packing 0) or in runs (1)."""
    sizes = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, packing, len(body), 0, 0, 256, 0)
    start = 14 + 40 + 1024
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + sizes + bytes(1024) + body


def webp_canvas(side: int) -> bytes:
    """Return a WebP of no frames whose canvas claims to be of that size, up to 2^24."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + struct.pack("<I", side - 1)[:3] * 2
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_parts(segment: bytes, at: int, size: int) -> bytes:
    """Return a JPEG in which a segment before byte `at` stands again and again, `size` bytes."""
    return JPEG[:at] + segment * (size // len(segment)) + JPEG[at:]


COLOURS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREYS = COLOURS[..., 0].copy()
DEEP = GREYS.astype(np.uint16) * 257
SMOOTH = np.add.outer(10 * np.arange(16), 5 * np.arange(20)).astype(np.uint8)
SMOOTH_RGB = np.stack([SMOOTH] * 3, axis=-1)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran = 1"><rect width="5"/></svg>'
HTML = f"<!DOCTYPE html><title>picture</title>{MARKUP}".encode()
PNG = encode(COLOURS, "PNG")
JPEG = encode(Image.new("L", (1000, 1000), 51), "JPEG", progressive=True)
FILES = {
    "PNG": PNG,
    "JPEG": encode(SMOOTH, "JPEG", quality=95),
    "WEBP": encode(COLOURS, "WEBP", lossless=True),
    "BMP": encode(COLOURS, "BMP"),
    "GIF": encode(GREYS, "GIF"),
}

# Pictures of every kind

add("colours, PNG", FILES["PNG"], luma(COLOURS), ONE_STEP)
add("colours, BMP", FILES["BMP"], luma(COLOURS), ONE_STEP)
add("colours, WebP without loss", FILES["WEBP"], luma(COLOURS), ONE_STEP)
for kind in ("PNG", "BMP", "GIF"):
    add(f"grey, {kind}", encode(GREYS, kind), GREYS / 255)
add("grey, JPEG", FILES["JPEG"], SMOOTH / 255, LOSSY)
add("grey, progressive JPEG", encode(SMOOTH, "JPEG", progressive=True), SMOOTH / 255, LOSSY)
add("grey, WebP", encode(SMOOTH, "WEBP"), SMOOTH / 255, LOSSY)
for kind in ("PNG", "BMP"):
    add(f"black and white, {kind}", encode(GREYS > 127, kind), GREYS > 127)
add("16 bits of grey", encode(DEEP, "PNG"), DEEP / 65535, 1e-7)
STEPS = np.array([[0, 1, 256, 4660], [30000, 65279, 65534, 65535]], np.uint16)
add("16 bits of grey, each counts", encode(STEPS, "PNG"), STEPS / 65535, 1e-7)
CMYK = encode(SMOOTH_RGB, "JPEG", "CMYK", quality=95)
add("CMYK, JPEG", CMYK, SMOOTH / 255, LOSSY)
WRONG_SUFFIX = {"PNG": "picture.gif", "JPEG": "picture.png", "WEBP": "picture.bmp"}
for kind, name in WRONG_SUFFIX.items():
    wanted = SMOOTH / 255 if kind == "JPEG" else luma(COLOURS)
    add(f"{kind} that calls itself {name}", FILES[kind], wanted, LOSSY, name=name)
add("a name without a suffix", PNG, luma(COLOURS), ONE_STEP, name="picture")

PALETTE = Image.new("P", (3, 1))
PALETTE.putpalette([0, 0, 0, 90, 90, 90, 255, 0, 0])
PALETTE.putdata([0, 1, 2])
RED = luma(np.array([255, 0, 0]))
for kind in ("PNG", "GIF", "BMP"):
    add(f"palette, {kind}", encode(PALETTE, kind), np.array([[0, 90 / 255, RED]]))
for kind in ("PNG", "GIF"):
    clear = encode(PALETTE, kind, transparency=0)
    add(f"palette with transparency, {kind}", clear, np.array([[1, 90 / 255, RED]]))
clear = encode(PALETTE, "PNG", transparency=bytes([255, 0, 255]))
add("palette with degrees of transparency", clear, np.array([[0, 1, RED]]))
INK = np.zeros((1, 3, 4), np.uint8)  # black: opaque, half, not there at all
INK[0, :, 3] = 255, 128, 0
for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
    half = np.array([[0, 127 / 255, 1]])
    add(f"transparency on white, {kind}", encode(INK, kind, **options), half)
GREY_ALPHA = Image.fromarray(np.array([[100, 100]], np.uint8)).convert("LA")
GREY_ALPHA.putalpha(Image.fromarray(np.array([[255, 0]], np.uint8)))
add("grey with transparency", encode(GREY_ALPHA, "PNG"), np.array([[100 / 255, 1]]))
TWO = Image.fromarray(np.array([[7, 100]], np.uint8))
for mode, clear in (("L", 7), ("RGB", (7, 7, 7))):
    data = encode(TWO, "PNG", mode, transparency=clear)
    add(f"one colour of {mode} is transparent", data, np.array([[1, 100 / 255]]))

WHITE, BLACK = (Image.fromarray(np.full((4, 5), grey, np.uint8)) for grey in (255, 0))
for kind, options in (("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})):
    moving = encode(WHITE, kind, save_all=True, append_images=[BLACK, WHITE], **options)
    add(f"animated, {kind}", moving, np.ones((4, 5)))
LIGHT, DARK = (Image.fromarray(np.full((16, 16), grey, np.uint8)) for grey in (200, 10))
several = encode(LIGHT, "MPO", save_all=True, append_images=[DARK])
add("a phone's pictures in one JPEG", several, np.full((16, 16), 200 / 255), LOSSY)

UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).T,
    8: np.rot90,
}
for turn, upright in UPRIGHT.items():
    add(f"EXIF turn {turn}, PNG", encode(GREYS, "PNG", exif=exif(turn)), upright(GREYS) / 255)
add("EXIF turn 7, 16 bits", encode(DEEP, "PNG", exif=exif(7)), UPRIGHT[7](DEEP) / 65535)
for kind in ("JPEG", "WEBP"):
    data = encode(SMOOTH, kind, exif=exif(6), quality=95)
    add(f"EXIF turn 6, {kind}", data, np.rot90(SMOOTH, -1) / 255, LOSSY)
add("EXIF turn 99", encode(GREYS, "PNG", exif=exif(99)), GREYS / 255)
for kind in ("PNG", "JPEG", "WEBP"):
    data = encode(SMOOTH, kind, exif=b"Exif\0\0neither II nor MM", quality=95)
    add(f"EXIF that is none, {kind}", data, SMOOTH / 255, LOSSY)
BROKEN_EXIF = exif(6).tobytes()[:-4] + struct.pack("<I", 2**31)
data = encode(GREYS, "PNG", exif=BROKEN_EXIF)
add("EXIF turn 6, its end damaged", data, np.rot90(GREYS, -1) / 255)

for shape in ((1, 1), (1, 20000), (20000, 1)):
    for kind in ("PNG", "BMP", "GIF"):
        data = encode(np.full(shape, 51, np.uint8), kind)
        add(f"{shape[0]} × {shape[1]}, {kind}", data, np.full(shape, 0.2))
for kind in ("JPEG", "WEBP"):
    data = encode(np.full((1, 1), 51, np.uint8), kind)
    add(f"1 × 1, {kind}", data, np.full((1, 1), 0.2), LOSSY)

# Markup and scripts: the picture is right, and nothing of them is shown or run

NOTES = PngInfo()
for name in ("Comment", "Title", MARKUP[:70]):
    NOTES.add_text(name, MARKUP)
    NOTES.add_itxt(name, MARKUP, zip=True)
add("markup in PNG text", encode(GREYS, "PNG", pnginfo=NOTES), GREYS / 255)
commented = encode(SMOOTH, "JPEG", comment=MARKUP.encode(), quality=95)
add("markup in a JPEG comment", commented, SMOOTH / 255, LOSSY)
add("markup in a GIF comment", encode(GREYS, "GIF", comment=MARKUP.encode()), GREYS / 255)
SAYING = exif(1)
SAYING[0x010E] = MARKUP
data = encode(SMOOTH, "JPEG", exif=SAYING, quality=95)
add("markup in EXIF", data, SMOOTH / 255, LOSSY)
add("markup in the file name", PNG, luma(COLOURS), ONE_STEP, name=f"{MARKUP}.png")
add("markup in the name of no picture", HTML, UNREADABLE, name=f"{MARKUP}.png")
add("a PNG that goes on as HTML", PNG + HTML, luma(COLOURS), ONE_STEP)
add("a GIF that begins as a script", b"GIF89a=1/*" + HTML, UNREADABLE)
add("HTML that goes on as a PNG", HTML + PNG, UNREADABLE)

# No pictures, or not ours

add("0 bytes", b"", UNREADABLE)
add("1 byte", b"\x89", UNREADABLE)
add("plain text", b"hello, I am no picture", UNREADABLE, name="notes.txt")
add("plain text named .png", b"hello, I am no picture", UNREADABLE)
add("HTML named .png", HTML, UNREADABLE)
add("SVG", SVG, UNREADABLE, name="picture.svg")
for kind in ("TIFF", "ICO", "PPM"):
    add(kind, encode(COLOURS, kind), UNREADABLE)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(ran) (w) file"
add("EPS, a program", EPS, UNREADABLE)

# Damaged

for kind, data in FILES.items():
    for percent in (5, 30, 60, 90):
        add(f"{kind}, cut at {percent}%", data[: len(data) * percent // 100], UNREADABLE)
add("PNG, a chunk of another name", PNG.replace(b"IDAT", b"IDOT"), UNREADABLE)
add("PNG, 0 × 0", flat_png(0, 0), UNREADABLE)

# Too large, or larger than they look

add("PNG of 60000 × 60000, claimed", flat_png(60000, 60000, 1, rows=99), FAR_TOO_MANY)
add("BMP of 30000 × 30000, claimed", bmp(30000, 30000, 0, b""), FAR_TOO_MANY)
GIF = FILES["GIF"]
HUGE_GIF = GIF[:6] + struct.pack("<HH", 50000, 50000) + GIF[10:]
add("GIF of 50000 × 50000, claimed", HUGE_GIF, FAR_TOO_MANY)
add("WebP of 23000 × 23000, claimed", webp_canvas(23000), FAR_TOO_MANY)
add("WebP of 5001 × 5000, claimed", webp_canvas(5001), UNREADABLE)
add("PNG that is 13000 × 13000", partial(flat_png, 13000, 13000), "13000 × 13000 pixels; wanted")
add("PNG that is 5000 × 5001", partial(flat_png, 5000, 5001), "5000 × 5001 pixels; wanted")
BLACK_FULL, WHITE_FULL = (np.broadcast_to(np.float32(grey), (5000, 5000)) for grey in (0, 1))
FULL = partial(flat_png, 5000, 5000)
add("PNG of just few enough pixels", FULL, BLACK_FULL, mib=192)
add("the same, transparent", partial(FULL, colour=6), WHITE_FULL, mib=320)
add("the same, 16 bits", partial(FULL, bits=16), BLACK_FULL, mib=384)
CLEAR = partial(Image.new, "RGBA", (5000, 5000))
add(
    "the same in 34 bytes of WebP",
    lambda: encode(CLEAR(), "WEBP", lossless=True),
    WHITE_FULL,
    mib=576,
)
RUNS = b"\0\2\xff\xff" * 1000
add("the same in 5 KB of BMP", bmp(5000, 5000, 1, RUNS), BLACK_FULL, mib=256)
add("just 10 MiB", lambda: PNG + bytes(MAX_BYTES - len(PNG)), luma(COLOURS), ONE_STEP)
add("more than 10 MiB", lambda: PNG + bytes(MAX_BYTES + 1 - len(PNG)), "more than 10 MiB; wanted")


def packed(mib: int) -> bytes:
    """Return zeros, packed to a thousandth."""
    return zlib.compress(bytes(mib * 2**20 - 1), 9)


for kind, start in ((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0")):
    label = f"PNG with 256 MiB in its {kind.decode()}"
    add(label, lambda kind=kind, start=start: with_chunk(kind, start + packed(256)), UNREADABLE)
TEXT = b"a\0\1\0\0\0" + packed(1)
add("PNG with 64 texts of 1 MiB", with_chunk(b"iTXt", TEXT, 64), luma(COLOURS), ONE_STEP, mib=96)
add("PNG with 1000 texts of 1 MiB", with_chunk(b"iTXt", TEXT, 1000), UNREADABLE, mib=96)
OVERLAP = b"".join(struct.pack(">HHII", tag, 1, 2**20, 8) for tag in range(5000))
OVERLAP = b"MM\0*\0\0\0\x08" + struct.pack(">H", 5000) + OVERLAP + bytes(2**20)
add("EXIF whose 5000 entries are one", encode(GREYS, "PNG", exif=OVERLAP), GREYS / 255)
SCAN, EXIF = JPEG[JPEG.rfind(b"\xff\xda") : -2], b"\xff\xe1\0\x26Exif\0\0" + bytes(30)
for part, at in ((SCAN, len(JPEG) - 2), (EXIF, 2)):
    name = "scans" if part is SCAN else "EXIFs"
    many = partial(jpeg_parts, part, at, MAX_BYTES - len(JPEG))
    add(f"JPEG with 10 MiB of {name}", many, "parts; wanted at most 100")
few = jpeg_parts(SCAN, len(JPEG) - 2, 90 * len(SCAN))
add("JPEG with 96 scans", few, np.full((1000, 1000), 0.2), LOSSY)


# The ways in


def by_open_image(case: Case, data: bytes) -> str:
    """Open a file, and say how what came of it differs from what is wanted."""
    return compared(open_image(data), case.wanted, case.tolerance)


def upload(panel: KernelEditor, name: str, data: bytes) -> None:
    """Set the panel's upload control as the browser does."""
    file = {"name": name, "type": "image/png", "size": len(data), "content": memoryview(data)}
    panel._controls.file.value = ({**file, "last_modified": datetime(2026, 1, 1, tzinfo=UTC)},)


def by_upload(case: Case, data: bytes) -> str:
    """Give a file to a panel; look at its output, its status line and what stays."""
    panel = KernelEditor(stripes(), torch.ones(1, 1))
    upload(panel, case.name, data)
    assert panel._controls.file.value == (), "the file can be chosen again"
    if 'role="alert"' in panel.status:
        assert torch.equal(panel.X, stripes()) and not panel._trial.history.can_undo
        assert isinstance(case.wanted, str) and escape(case.wanted) in panel.status, panel.status
        raise ConvkitError(panel.status, "", "")
    assert panel._controls.picture.value == f"file {case.name}"
    assert repr(case.name) in panel.code and torch.equal(panel.output, panel.X)
    wanted = case.wanted
    if not isinstance(wanted, str) and max(wanted.shape) > LARGEST_SIDE:  # they are of one grey
        shape = [max(1, round(n * LARGEST_SIDE / max(wanted.shape))) for n in wanted.shape]
        wanted = np.full(shape, wanted[0, 0])
    return compared(panel.output, wanted, case.tolerance)


def without_limits(case: Case, data: bytes) -> str:
    """Open a file as if nothing were wrong with it: what the meter must notice."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return f"{image.height} × {image.width}"


WAYS = {way.__name__: way for way in (by_open_image, by_upload, without_limits)}


def compared(X: torch.Tensor, wanted: np.ndarray | str, tolerance: float) -> str:
    """Return the picture's size, if it is what is wanted."""
    assert not isinstance(wanted, str), f"{tuple(X.shape)} where words are wanted: {wanted}"
    MEASURED.append(peak())  # comparing takes memory of its own
    wanted = torch.as_tensor(np.array(wanted, np.float32))
    assert X.shape == wanted.shape and X.dtype == torch.float32, tuple(X.shape)
    assert (X - wanted).abs().max() <= tolerance, f"off by {(X - wanted).abs().max()}"
    return f"{X.shape[0]} × {X.shape[1]}"


MEASURED: list[float] = []


def peak() -> float:
    """Return the most memory that this process ever held, in MiB."""
    import resource  # which Windows lacks

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def measured(way: str, label: str, path: str) -> dict[str, object]:
    """Open a file, made by the corpus at `path`, in a forked process, and tell what came of it.

    Returns `came`, a size or words; `fault`, where it is not what is wanted; `mib`, by how much
    memory grew at most; `seconds`. The new process begins with the memory in use, so the growth
    is the file's own: this one must never have held more. SIGALRM ends it even in a decoder.
    """
    case = CORPUS[label]
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        data = Path(path).read_bytes()
        before, start = peak(), time.monotonic()
        told = {"came": "", "fault": ""}
        try:
            told["came"] = WAYS[way](case, data)
        except ConvkitError as error:
            told["came"] = f"refused: {error}"
            if not isinstance(case.wanted, str) or case.wanted not in str(error):
                told["fault"] = f"wanted {case.wanted}"
        except BaseException as error:
            told["fault"] = f"{type(error).__name__}: {error}"
        told["mib"] = round(min([*MEASURED, peak()]) - before)
        told["seconds"] = round(time.monotonic() - start, 2)
        os.write(theirs, json.dumps(told).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        answer = pipe.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    why = f"took more than {SECONDS} s" if ended == -signal.SIGALRM else f"ended with {ended}"
    lost = {"came": "", "fault": why, "mib": 0, "seconds": SECONDS}
    return json.loads(answer) if answer else lost


if __name__ == "__main__":
    torch.set_num_threads(1)
    KernelEditor(stripes())  # all that is loaded late is loaded now
    open_image(PNG)
    for line in sys.stdin:
        told = measured(**json.loads(line))
        print(json.dumps(told), flush=True)
