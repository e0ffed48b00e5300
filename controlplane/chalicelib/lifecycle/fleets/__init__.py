"""Fleets: `start` records one, `advance` decides and records its steps, `member` rolls or takes back one environment,
`stop` aborts, approves and settles. What happens next is decided in `domain/fleets/steps`.
"""
