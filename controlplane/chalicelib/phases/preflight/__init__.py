"""Phase 1, preflight: everything that later phases need is checked, and nothing is changed."""
