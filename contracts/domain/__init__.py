"""Terms, plan and rating as pure arithmetic: no Django, no clock, no database."""
