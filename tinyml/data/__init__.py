"""Samples from files, and the figures that are taken of outputs."""
