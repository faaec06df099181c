"""The cells of the notebook that is measured, and what is looked at in them."""

IMPORTS = """\
import sys
sys.path[:0] = {folders}
import gc
import time
from io import BytesIO
from pathlib import Path
import ipywidgets as widgets
import matplotlib.pyplot as plt
import torch
from PIL import Image
from convkit import corr2d, kernel, photo, stripes
from {module} import DescentStepper, KernelEditor
gc.disable()  # else one way pays for the garbage of another
P, K = photo(128), kernel("Sobel x")
target, start = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.5]])
runs = 0
def edited(weight):
    new = K.clone()
    new[0, 0] = weight
    return new
def loop(X, K):
    global runs
    runs += 1
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y"""
PANELS = {
    "photo": "KernelEditor(P, K)",
    "full photo": "KernelEditor(photo(), K)",
    "large": "KernelEditor(photo((1024, 1024)), K)",
    "small": "KernelEditor(stripes(), K)",
    "stepper": "DescentStepper(stripes(), target=target, start=start, steps=25)",
    "long stepper": "DescentStepper(stripes(), target=target, start=start, steps=100)",
    "loop": "KernelEditor(P, K, operation=loop)",
    "runs": "print(runs)",
    "busy": "while not Path('go_on').exists():\n    time.sleep(0.01)",
}
OTHERS = {
    "explorer": """\
from convkit.panels import ReceptiveFieldExplorer
ReceptiveFieldExplorer([3, (2, 2), 3, 3, 1], size=16)""",
    "kept run": """\
panel = DescentStepper(stripes(), target=target, start=start, lr=0.01, steps=100)
panel.keep()
panel.lr = 0.03
panel""",
    "training picture": """\
from convkit import QuadraticLoss
from convkit.ui import Painted, explore
best = {}
def teaches(picture):
    problem = QuadraticLoss(picture, 2)
    said = f"rank {problem.rank} of 4"
    if problem.rank == 4:
        condition = (problem.eigenvalues[0] / problem.eigenvalues[-1]).item()
        said += f", condition number {condition:.1f}"
        best.setdefault(condition, picture)
    return {"this picture": said} | {f"best: {c:.1f}": best[c] for c in sorted(best)[:1]}
explore(teaches, picture=Painted(stripes()))""",
    "matrix lens": """\
from convkit.lenses import matrix_lens
matrix_lens(torch.arange(16.0).reshape(4, 4), K[:2, :2])""",
    "interact": """\
def draw(weight):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3))
    axes[0].imshow(P, cmap="gray")
    axes[1].imshow(corr2d(P, edited(weight)), cmap="RdBu_r", vmin=-5, vmax=5)
    plt.show()
widgets.interact(draw, weight=widgets.FloatText(-1));""",
    "bare": """\
text, image = widgets.Text("-1"), widgets.Image()
def paint(change):
    levels = corr2d(P, edited(float(change["new"]))).add(5).mul(25).clamp(0, 255).byte()
    file = BytesIO()
    Image.fromarray(levels.numpy()).save(file, "PNG", compress_level=1)
    image.value = file.getvalue()
paint({"new": -1})
text.observe(paint, "value")
widgets.VBox([text, image])""",
}

BOX, PICTURE = "input[aria-label='K[0, 0]']", "canvas[aria-label^=output]"
EDITS = {
    "interact": ("input", ".jp-RenderedImage img"),
    "bare": ("input", "img"),
    "photo": (BOX, PICTURE),
    "full photo": (BOX, PICTURE),
    "large": (BOX, PICTURE),
    "small": (BOX, "table[aria-label^=output]"),
}
"""Of each way to edit one weight of Sobel x: the box to type into, and what answers."""
FOLLOWED = {"explorer": "layer 1", "matrix lens": "output"}
"""The table whose cells are pointed at or chosen, while frames on others follow."""
ON_SCREEN = {
    "photo": [BOX, PICTURE, "canvas[aria-label^=input]", "table[aria-label^=products] td"],
    "stepper": ["input[aria-label='start[0, 0]']", ".ck-walked", "table td"],
}
"""What of a panel is on screen when all of it is."""
