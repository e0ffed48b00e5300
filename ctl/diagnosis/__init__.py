"""Looking at an environment from this machine: credentials and API, logs, pages in the browser."""
