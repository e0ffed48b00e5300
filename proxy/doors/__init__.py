"""How requests reach the proxy: API Gateway events over the Lambda Runtime API, and a local HTTP server."""
