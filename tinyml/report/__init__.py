"""What inspect, ops and doctor show."""
