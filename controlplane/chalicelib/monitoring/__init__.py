"""Makes an environment's alarms and proves that they are heard: the hands of phase 5.

make → alarms, dashboard, queries, filters; drill → fires every alarm; correlate → follows one request through the logs.
"""
