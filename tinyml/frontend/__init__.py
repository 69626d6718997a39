"""Files of other tools to a Graph."""
