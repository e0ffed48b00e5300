"""An environment's monitoring: alarms, topic, dashboard, saved queries, metric filters, and tests of the alarms."""
