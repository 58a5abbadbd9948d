"""Documents, and the run that makes them."""
