"""Tables, lenses and figures: what is shown, as HTML and PNG."""
