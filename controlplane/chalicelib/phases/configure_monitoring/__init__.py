"""Phase 5: alarms, dashboard, saved queries and metric filters, each alarm tested, one request correlated.

run: applies them (see `monitoring`), fires each alarm and waits for its notification. correlate: finds one request in
the logs.
"""
