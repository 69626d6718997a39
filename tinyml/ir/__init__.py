"""The graph: tensors, operators, and the checks that hold between stages."""
