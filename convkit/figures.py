"""Figures of matplotlib, as PNG and text."""
