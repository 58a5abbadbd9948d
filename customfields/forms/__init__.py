"""Forms: of the owners of values, and of the definitions themselves."""
