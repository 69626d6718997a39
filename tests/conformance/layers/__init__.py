"""Layers of random networks, one file a kind; ``table.py`` names them by operator."""
