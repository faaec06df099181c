"""Torch code, as text, that computes what a panel shows: it gives back the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from convkit import images
from convkit.ops import Pair, to_pair
from convkit.stacks import Layer

MAX_LITERAL = 256
"""The most values that are written out as numbers."""


def literal(values: Tensor) -> str:
    """Return code for a finite (H, W) tensor, each value in the fewest digits that are exact.

    Examples
    --------
    >>> print(literal(torch.tensor([[0.1, -1.0], [1 / 3, 0.0]])))
    torch.tensor([[0.1, -1.0],
                  [0.33333334, 0.0]])
    """
    texts = _shortest_texts(values.detach().cpu().flatten())
    columns = values.shape[1]
    rows = [", ".join(texts[k : k + columns]) for k in range(0, len(texts), columns)]
    body = ("],\n" + " " * 18 + "[").join(rows)
    options = "" if values.dtype == torch.get_default_dtype() else f", dtype={values.dtype}"
    if torch.empty(0).device.type != "cpu":
        options += ', device="cpu"'
    return f"torch.tensor([[{body}]]{options})"


def _shortest_texts(values: Tensor) -> list[str]:
    """Return each value of a flat tensor as the shortest decimal that its dtype reads back."""
    exact = values.tolist()
    texts = [repr(x) for x in exact]  # the shortest for float64; 9 digits hold every float32
    for digits in range(9, 1, -1):
        rounded = [float(f"{x:.{digits}g}") for x in exact]
        is_exact = (torch.tensor(rounded, dtype=values.dtype, device="cpu") == values).tolist()
        for k, x in enumerate(rounded):
            if is_exact[k]:
                texts[k] = repr(x)
    return texts


def picture_code(name: str, dtype: torch.dtype) -> str:
    """Return code that makes the picture of a name in `images.PICTURES`, in a dtype.

    Examples
    --------
    >>> picture_code("diagonal 8 × 8", torch.float64)
    'convkit.diagonal().to(torch.float64)'
    """
    make, arguments = images.PICTURES[name]
    code = f"convkit.{make.__name__}({', '.join(map(str, arguments))})"
    return code if dtype == torch.float32 else f"{code}.to({dtype})"


def array_code(X: Tensor, fallback: str) -> str:
    """Return code that makes a (H, W) tensor: a picture's call, its numbers, or else `fallback`.

    Numbers are written out for up to `MAX_LITERAL` values.

    Examples
    --------
    >>> array_code(torch.eye(8), "X"), array_code(torch.ones(1, 2), "X")
    ('convkit.diagonal()', 'torch.tensor([[1.0, 1.0]])')
    >>> array_code(torch.zeros(99, 99), "X")
    'X'
    """
    name = images.named_like(X)
    if name is not None:
        return picture_code(name, X.dtype)
    if X.numel() <= MAX_LITERAL:
        return literal(X)
    return fallback


def correlation_code(  # noqa: PLR0913
    X: str,
    K: Tensor,
    *,
    padding: Pair,
    stride: Pair,
    dilation: Pair,
    flip: bool,
    padding_mode: str = "zeros",
) -> str:
    """Return code that computes ``corr2d(X, K)``, or ``convolve2d(X, K)`` if `flip` is true.

    Parameters
    ----------
    X : str
        An expression for the input, such as `array_code` returns.
    K : Tensor
        The kernel, (kH, kW).
    padding, stride, dilation : int or (h, w)
        As in `corr2d`; those with their default values are left out of the code.
    flip : bool
        Whether to flip the kernel in both axes.
    padding_mode : str
        As in `corr2d`.

    Examples
    --------
    >>> K = torch.tensor([[1.0, -1.0]])
    >>> code = correlation_code("torch.eye(8)", K, padding=0, stride=2, dilation=1, flip=False)
    >>> print(code)
    import torch
    import torch.nn.functional as F
    <BLANKLINE>
    X = torch.eye(8)
    K = torch.tensor([[1.0, -1.0]])
    Y = F.conv2d(X[None, None], K[None, None], stride=2)[0, 0]
    """
    padded = "X[None, None]"
    if padding_mode != "zeros":
        up, aside = to_pair("padding", padding)
        padded = f"F.pad({padded}, {(aside, aside, up, up)}, mode={padding_mode!r})".replace(
            "'", '"'
        )
        padding = 0
    options = [("padding", padding, 0), ("stride", stride, 1), ("dilation", dilation, 1)]
    keywords = "".join(_keyword(*option) for option in options)
    weights = "K.flip(0, 1)" if flip else "K"
    return "\n".join(
        [
            *_imports(X),
            f"X = {X}",
            f"K = {literal(K)}",
            f"Y = F.conv2d({padded}, {weights}[None, None]{keywords})[0, 0]",
        ]
    )


def stack_code(layers: Sequence[Layer], size: Pair) -> str:
    """Return code that makes torch's layers of a stack and prints the shape of what they make.

    Parameters
    ----------
    layers : sequence of Layer
        Kernel size, stride, padding and dilation of each.
    size : int or (h, w)
        Of the input.

    Examples
    --------
    >>> from convkit.stacks import Layer
    >>> print(stack_code([Layer(3), Layer((2, 1), 2)], 8))
    import torch
    from torch import nn
    <BLANKLINE>
    X = torch.zeros(1, 1, 8, 8)
    net = nn.Sequential(
        nn.Conv2d(1, 1, (3, 3)),
        nn.Conv2d(1, 1, (2, 1), stride=2),
    )
    print(net(X).shape)
    """
    lines = []
    for layer in layers:
        options = [("stride", layer.stride, 1), ("padding", layer.padding, 0)]
        keywords = [_keyword(*each) for each in (*options, ("dilation", layer.dilation, 1))]
        lines.append(f"    nn.Conv2d(1, 1, {layer.kernel_size}{''.join(keywords)}),")
    h, w = to_pair("size", size)
    start = ["import torch", "from torch import nn", "", f"X = torch.zeros(1, 1, {h}, {w})"]
    return "\n".join([*start, "net = nn.Sequential(", *lines, ")", "print(net(X).shape)"])


def _keyword(name: str, value: Pair, default: int) -> str:
    h, w = to_pair(name, value)
    if h == w == default:
        return ""
    return f", {name}={h}" if h == w else f", {name}={(h, w)}"


def _imports(expressions: str) -> list[str]:
    ours = ["import convkit"] if "convkit." in expressions else []
    return [*ours, "import torch", "import torch.nn.functional as F", ""]


def descent_code(  # noqa: PLR0913
    X: str,
    Y: str,
    start: Tensor,
    rates: Sequence[float],
    *,
    reduction: str,
    momentum: float = 0.0,
) -> str:
    """Return code that takes one step of gradient descent per entry of `rates`, and prints K.

    Parameters
    ----------
    X, Y : str
        Expressions for input and target, such as `array_code` returns.
    start : Tensor
        The first kernel, (kH, kW).
    rates : sequence of float
        The learning rate of each step.
    reduction : "sum" or "mean"
        Whether squared errors are added up or averaged.
    momentum : float
        Of ``torch.optim.SGD``; left out of the code where it is 0.

    Examples
    --------
    >>> X, Y, start = "torch.eye(3)", "torch.ones(3, 3)", torch.zeros(1, 1)
    >>> print(descent_code(X, Y, start, [0.5, 0.5, 0.1], reduction="sum"))
    import torch
    import torch.nn.functional as F
    <BLANKLINE>
    X = torch.eye(3)
    Y = torch.ones(3, 3)
    K = torch.tensor([[0.0]]).requires_grad_()
    sgd = torch.optim.SGD([K], lr=1)
    for lr in [0.5] * 2 + [0.1] * 1:
        sgd.param_groups[0]["lr"] = lr
        loss = ((F.conv2d(X[None, None], K[None, None])[0, 0] - Y) ** 2).sum()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    print(K)
    """
    schedule = " + ".join(f"[{lr!r}] * {len(list(run))}" for lr, run in groupby(rates))
    keyword = f", {momentum=}" if momentum else ""
    loop = f"""sgd = torch.optim.SGD([K], lr=1{keyword})
for lr in {schedule}:
    sgd.param_groups[0]["lr"] = lr
    loss = ((F.conv2d(X[None, None], K[None, None])[0, 0] - Y) ** 2).{reduction}()
    sgd.zero_grad()
    loss.backward()
    sgd.step()"""
    lines = [*_imports(X + Y), f"X = {X}", f"Y = {Y}", f"K = {literal(start)}.requires_grad_()"]
    if rates:
        lines.append(loop)
    return "\n".join([*lines, "print(K)"])
