"""What a value of a custom field can be: pure, for every door a value comes in by."""
