"""`make verify-account`: what only an account can show, seen once, one verdict a row of docs/fidelity.md."""
