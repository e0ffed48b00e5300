"""The rules of the house (design §1, style.md) as functions: each answers the places that break it, [] for none."""
