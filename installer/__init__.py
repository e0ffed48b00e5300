"""Puts the control plane into AWS, or into the embedded cloud, and takes it out again."""
