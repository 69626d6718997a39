"""A C module as something another build system takes, one format a file."""
