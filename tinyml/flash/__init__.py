"""Firmware to a board, one backend a file."""
