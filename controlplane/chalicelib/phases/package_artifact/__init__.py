"""Phase 3: builds the proxy's deployment package and uploads it; what is in it, `artifacts/` decides."""
