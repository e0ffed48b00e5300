"""What AWS bills for, priced: a dated price table by region, a rollout's ledger, a month at rest, a million requests.

Pure. Units come from the records of phases (`domain/aws/usage.py`) and from configuration. The bench and the product
use the same table and the same arithmetic.
"""
