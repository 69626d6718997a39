"""What the cases of several operators are drawn from."""
