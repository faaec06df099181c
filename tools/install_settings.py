"""Copy the project's settings of JupyterLab, nbconvert and IPython into this Python's environment.

python -m tools.install_settings
"""

import shutil
import sys
from pathlib import Path

SETTINGS = Path(__file__).with_name("settings")

if __name__ == "__main__":
    shutil.copytree(SETTINGS, Path(sys.prefix) / "etc", dirs_exist_ok=True)
