"""``python -m tinyml``."""

from tinyml.cli import main

main()
