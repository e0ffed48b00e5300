"""Phase 3, package_artifact: builds and uploads the deployment package of the proxy."""
