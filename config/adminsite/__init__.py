"""The finance back office: one admin site with its own skin."""
