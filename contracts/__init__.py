"""What was sold, on which terms; the plan."""
