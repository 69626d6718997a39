"""Rewrites: Graph to Graph, one a file."""
