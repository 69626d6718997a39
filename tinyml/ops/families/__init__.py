"""What several operators share: a base class or a kernel of the family."""
