"""What panels are set to: no widgets, no HTML."""
