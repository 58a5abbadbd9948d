"""What can be done to documents, and the run that makes them."""
