"""Who starts and ends deployments: start, queue, abort, settle, sweep, night, drills, events.

`start` records a deployment and starts its execution; `idempotency` says which deployment a key stands for; `queue`
holds those that wait; `abort` and `settle` end one; `sweep` repairs what died; `night` revalidates every environment;
`drill_requests` and `abandoned_drills` begin and end drills; `publish_events` publishes every state change.
"""
