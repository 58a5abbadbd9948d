"""Who is billed, how and when; money and calendar."""
