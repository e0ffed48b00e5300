"""Step make_plan: what a deployment would do, without doing it.

plan: which phases would run or may change, as data and as text. look: the facts of each phase, read from the account.
"""
