"""Upgrades of an installed control plane: by itself, and what a direct one checks and does to the table."""
