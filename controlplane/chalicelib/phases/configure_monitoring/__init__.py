"""Phase 5: alarms, dashboard, saved queries and metric filters, each alarm tested, one request correlated."""
