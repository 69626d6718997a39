"""What several operators need to read ONNX nodes."""
