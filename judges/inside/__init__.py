"""Scripts that run in the judges' own environment (`judges/requirements.txt`), never imported from outside of it."""
