"""Arithmetic of quantization, in the very steps the device takes."""
