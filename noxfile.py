"""`make test-matrix`: the tests without a browser, on other versions than the pins.

    make test-matrix                       each Python that is found; nox names those that are not
    make test-matrix ARGS="-s newest-3.14"
    make test-matrix ARGS="-s lowest"      the lowest versions that pyproject.toml allows

Text must be as the notebooks store it. Pictures are not compared, as fonts differ, and warnings
of packages of different ages about each other are no errors.
"""

import nox

nox.options.default_venv_backend = "uv"
D2L = "d2l==1.0.3"  # pyproject.toml has uv install it without its own pins
TESTS = ["convkit", "tests", "--ignore=tests/browser", "--ignore=tests/notebooks"]
# What asks about the pins themselves, or about Binder, which has them.
OF_THE_PINS = ["--ignore=tests/test_setup.py", "--ignore=tests/test_binder.py"]
# Where the lowest matplotlib meets today's pyparsing, which warns it.
SILENCE = "--deselect=tests/test_d2l_compat.py::test_importing_says_nothing"
BY_TEXT = ["--nbval", "-p", "no:tests.notebooks.nbval_plugin", "notebooks"]


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def newest(session: nox.Session) -> None:
    """Test with the newest version of everything."""
    session.install("--editable", ".[notebooks,dev]", D2L)
    run(session, *TESTS, *OF_THE_PINS)
    run(session, *BY_TEXT)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Test with the lowest versions that the library and the notebooks allow."""
    lowest = f"{session.create_tmp()}/lowest.txt"
    compile = ["uv", "pip", "compile", "pyproject.toml", "--extra=notebooks", "--quiet"]
    session.run(*compile, "--resolution=lowest-direct", f"--output-file={lowest}", external=True)
    session.install("--requirements", lowest, "--editable", ".[notebooks,dev]", D2L)
    run(session, *BY_TEXT)
    # The tests' simulated pages speak to the comms of ipywidgets 8.
    session.install("ipywidgets>=8")
    run(session, *TESTS, *OF_THE_PINS, SILENCE)


def run(session: nox.Session, *arguments: str) -> None:
    """Run pytest, and hear of what fails only."""
    options = ["-n", "2", "--dist", "loadscope", "-W", "default", *session.posargs]
    session.run("python", "-m", "pytest", *options, *arguments, env={"OMP_NUM_THREADS": "1"})
