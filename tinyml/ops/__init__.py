"""Operators, one a file, and nothing else; what they share lies in the folders."""
