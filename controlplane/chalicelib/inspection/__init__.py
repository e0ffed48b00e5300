"""Looks at everything that a deployment will need, and changes nothing: the eyes of phase 1.

permissions → what every role may do; surroundings → account, quotas, names, stack; sources → bundle, template, secret.
"""
