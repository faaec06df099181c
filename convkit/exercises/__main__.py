"""`python -m convkit.exercises FILES` prints who solved what."""

import sys

from convkit.exercises._report import main

sys.exit(main(sys.argv[1:]))
