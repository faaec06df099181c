"""Tools for working on convkit; not installed with it."""
