"""Step record_outcome: how a deployment ended, and what its environment is from then on.

outcome, success: status and summary. changes: the environment's record. incidents: when an incident opens and closes.
history: the entry in the environment's history. run: one transaction that writes all of it.
"""
