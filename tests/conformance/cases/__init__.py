"""One file per operator of tinyml/ops, each with a function ``cases``; no list to keep."""
