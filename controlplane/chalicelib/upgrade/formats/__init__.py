"""Formats of the table, and migrations between them."""
