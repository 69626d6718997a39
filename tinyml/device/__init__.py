"""Firmware image + samples -> outputs and counters."""
