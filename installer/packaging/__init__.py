"""Builds what the installer uploads: the zips of the control plane's Lambdas, their template, the proxy's bundle."""
