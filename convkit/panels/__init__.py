"""The panels: each is a state, a `compute` and a `view` on the toolkit `convkit.ui`."""
