"""Which scheme is the cheapest that keeps the accuracy: each tried out, as it would be built."""
