"""One file for each figure: a function that makes its table from a run, and one that draws it on axes."""
