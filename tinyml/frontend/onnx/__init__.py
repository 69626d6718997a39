"""ONNX files to a Graph."""
