"""What can be done to contracts and their plan."""
