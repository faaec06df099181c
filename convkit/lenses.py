"""Lenses: a relation of cells, spelled out, as HTML without script."""
