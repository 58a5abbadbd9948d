"""Reads of documents, runs and what waits to be invoiced."""
