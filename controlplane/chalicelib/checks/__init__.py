"""The checks of phases 7 and 8 as data, and what runs them against a candidate."""
