"""Phase 2, prepare_secret: checks the secret that the proxy will read, and who may read it."""
