"""What every operator implements, and the plain records its methods take and return."""
