"""Puts this folder on the import path, for ``graphs``, and makes hypothesis repeatable."""

from hypothesis import settings

# The same examples in every run: continuous integration must not fail by chance.
settings.register_profile("tinyml", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("tinyml")
