"""Float graph to int8 graph."""
