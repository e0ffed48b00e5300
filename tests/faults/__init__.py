"""Faults at every call of every phase, over the ports in memory: what fails, what must hold afterwards, the matrix."""
