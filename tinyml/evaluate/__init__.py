"""What a model answers, on the device, on the reference kernels and in float, side by side."""
