"""Training of the networks in models/."""
