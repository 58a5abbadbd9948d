"""Money and calendar as pure arithmetic: no Django, no clock, no database."""
