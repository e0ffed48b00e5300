"""Who begins and ends deployments: start, queue, sweep, night, drill, events."""
