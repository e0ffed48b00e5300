"""Compares a candidate with the live version: what both did in the same seconds, or what live did before."""
