"""Layers of Keras and the settings they are tried with, one family a file; plain data, no Keras."""
