"""What several operators need to write C."""
