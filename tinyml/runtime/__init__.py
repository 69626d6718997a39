"""Runs .tflite models on TFLite runtimes, in a process of their own."""
