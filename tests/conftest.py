"""Settings for every test."""

import os

import torch
from hypothesis import settings

# The same examples on every run, and no deadline: the first call of an operation is slow.
settings.register_profile("convkit", derandomize=True, deadline=None, database=None)
settings.load_profile("convkit")

# On small pictures more threads only get in each other's way, here and in the notebooks' kernels.
os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)
