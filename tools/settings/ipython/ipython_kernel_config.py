"""Let a notebook stay unchanged when it is opened, whichever version of Python runs it.

JupyterLab writes into the notebook what the kernel says about its language, so an exact version
would mark each notebook as changed that was stored with another one.
"""

from ipykernel.ipkernel import IPythonKernel

IPythonKernel.language_info = IPythonKernel.language_info | {"version": "3"}
