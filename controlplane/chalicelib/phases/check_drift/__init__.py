"""Compares an environment with the record of its live release, and restores what is safe to restore.

record: the recorded state. look: reads the present state. *_drift: compare them, one module for each kind. heal:
restores the alias and the alarms.
"""
