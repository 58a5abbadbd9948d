"""Decisions and arithmetic of invoicing: no Django, no clock, no database."""
