""".tflite files to a Graph."""
