"""Phase 9, load_test: drives the candidate with open-model load and judges the figures against the SLOs."""
