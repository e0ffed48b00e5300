"""An environment's monitoring.

alarms: the table of alarms. dashboard, prices: the dashboard, saved queries and metric filters as data. apply: creates
and updates all of them. fire: tests the alarms' notifications, and resets test alarms.
"""
