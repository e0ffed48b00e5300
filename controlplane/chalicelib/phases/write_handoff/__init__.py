"""Phase 10: writes the documents for the next engineer.

handoff, troubles: handoff.md. report, plots: report.html. links: pages of the AWS console.
"""
