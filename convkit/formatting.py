"""Numbers, sums and states written out: in digits, in arithmetic, in torch code."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

import torch
from torch import Tensor

from convkit.ops import Pair, pair


def number(value: float, digits: int = 4) -> str:
    """Return `value` with at most `digits` significant digits, and no negative zero."""
    text = f"{float(value):.{digits}g}"
    return "0" if text == "-0" else text


def short(value: float) -> str:
    """Return a number for a narrow cell, at most 5 characters: "0.00" is nearly zero, "0" zero."""
    if value == round(value) and abs(value) < 1000:
        return number(value)
    if abs(value) >= 100:
        return f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    return "0.00" if abs(value) < 0.005 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def size(shape: Iterable[int]) -> str:
    """Return a shape as "6 × 8"."""
    return " × ".join(str(n) for n in shape)


def digest(values: Tensor) -> str:
    """Return 8 hex digits that change with the shape and the values, but not with their rounding.

    What is hashed is the norm, and the sums of the values weighted by a cosine and a sine, to a
    thousandth of the norm: a smaller change may not show. Were each value hashed, the one closest
    to half a digit would decide.
    """
    flat = values.detach().double().flatten()
    norm, phase = flat.norm(), torch.arange(1.0, flat.numel() + 1, dtype=torch.float64)
    sums = torch.stack([(flat * wave).sum() for wave in (phase.cos(), phase.sin())])
    thousandths = (sums / norm.clamp(min=1e-300) * 1000).round() + 0.0  # adding 0 unsigns zeros
    said = f"{tuple(values.shape)} {norm:.4g} {thousandths.tolist()}"
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def describe(title: str, values: Tensor) -> str:
    """Return "title: 6 × 8, from 0 to 1, digest 0123abcd"."""
    low, high = number(values.min().item()), number(values.max().item())
    return f"{title}: {size(values.shape)}, from {low} to {high}, digest {digest(values)}"


def colour_limit(values: Tensor) -> float:
    """Return the end of a colour key for `values`: the least of 1, 2, 5, 10 ... that holds all."""
    largest = values.detach().abs().max().item()
    if not 0 < largest < float("inf"):
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next((m * power for m in (1, 2, 5) if largest <= m * power * (1 + 1e-6)), 10 * power)


def _signed(value: float) -> str:
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def window_sum(patch: Tensor, K: Tensor, bias: float | None = None) -> str:
    """Return one output cell's arithmetic: "0×0 + 1×1 + 3×2 + 4×3 = 19"."""
    pairs = zip(patch.flatten().tolist(), K.flatten().tolist(), strict=True)
    terms = [f"{number(x)}×{_signed(k)}" for x, k in pairs]
    total = (patch * K).sum().item() + (bias or 0)
    extra = "" if bias is None else f" + {_signed(bias)}"
    return f"{' + '.join(terms)}{extra} = {number(total)}"


def pool_sum(patch: Tensor, mode: str) -> str:
    """Return one pooled cell's arithmetic: "max(0, 1, 3, 4) = 4" or "(0 + 1 + 3 + 4) / 4 = 2"."""
    values = patch.flatten()
    if mode == "max":
        return f"max({', '.join(map(number, values.tolist()))}) = {number(values.max())}"
    terms = " + ".join(_signed(x) for x in values.tolist())
    return f"({terms}) / {len(values)} = {number(values.mean())}"


def size_sum(axis: str, n: int, k: int, p: int, s: int, d: int) -> str:
    """Return the arithmetic of the output's size along one axis, with all its numbers.

    Without padding, stride and dilation it is the short one, "columns: 8 - 2 + 1 = 7".
    """
    out = (n + 2 * p - d * (k - 1) - 1) // s + 1
    if (p, s, d) == (0, 1, 1):
        return f"{axis}: {n} - {k} + 1 = {out}"
    return f"{axis}: floor(({n} + 2×{p} - {d}×({k} - 1) - 1) / {s}) + 1 = {out}"


def update_sum(cell: str, weight: float, lr: float, grad: float, new: float) -> str:
    """Return one weight's update: "K[0, 0]: 1.2 - 0.03×14.4 = 0.768"."""
    return f"{cell}: {number(weight)} - {number(lr)}×{_signed(grad)} = {number(new)}"


def _exact(value: float, dtype: torch.dtype) -> str:
    """Return the shortest decimal that `dtype` reads back as `value`."""
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if torch.tensor(float(text), dtype=dtype).item() == value:
            return repr(float(text))
    raise AssertionError("17 digits hold every double")


def literal(values: Tensor) -> str:
    """Return code for a (H, W) tensor that gives back the same bits."""
    rows = [", ".join(_exact(x, values.dtype) for x in row) for row in values.tolist()]
    body = ("],\n" + " " * 18).join(f"[{row}" for row in rows)
    dtype = "" if values.dtype == torch.float32 else f", dtype={values.dtype}"
    return f"torch.tensor([{body}]]{dtype})"


def _one(value: Pair) -> int | tuple[int, int]:
    h, w = pair("value", value)
    return h if h == w else (h, w)


def _imports(expressions: str) -> str:
    ours = "import convkit\n" if "convkit." in expressions else ""
    return f"{ours}import torch\nimport torch.nn.functional as F"


def correlation_code(
    X: str, K: Tensor, *, padding: Pair, stride: Pair, dilation: Pair, flip: bool
) -> str:
    """Return torch code that computes Y from `X`, an expression, and `K`, a tensor (kH, kW)."""
    options = {"padding": (_one(padding), 0), "stride": (_one(stride), 1)}
    options["dilation"] = (_one(dilation), 1)
    said = "".join(f", {k}={v}" for k, (v, default) in options.items() if v != default)
    K_code = "K.flip(0, 1)" if flip else "K"
    return f"""{_imports(X)}

X = {X}
K = {literal(K)}
Y = F.conv2d(X[None, None], {K_code}[None, None]{said})[0, 0]"""


def descent_code(
    X: str, Y: str, start: Tensor, rates: list[float], *, reduction: str, momentum: float
) -> str:
    """Return torch code that takes one gradient step per entry of `rates`."""
    runs: list[tuple[float, int]] = []
    for lr in rates:
        count = runs.pop()[1] if runs and runs[-1][0] == lr else 0
        runs.append((lr, count + 1))
    beta = f", momentum={momentum}" if momentum else ""
    schedule = " + ".join(f"[{lr!r}] * {count}" for lr, count in runs) or "[]"
    return f"""{_imports(X + Y)}

X = {X}
Y = {Y}
K = {literal(start)}.requires_grad_()
sgd = torch.optim.SGD([K], lr=1{beta})
for lr in {schedule}:
    sgd.param_groups[0]["lr"] = lr
    loss = ((F.conv2d(X[None, None], K[None, None])[0, 0] - Y) ** 2).{reduction}()
    sgd.zero_grad()
    loss.backward()
    sgd.step()
print(K)"""
