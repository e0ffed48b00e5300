"""The load engine: an open model, in which each request is timed from when it was due.

arrivals: when requests are due. wire: one connection. generator: sends on time and records. worker: one shard of a run.
shard: shards, and how they add up to one summary. drive: a shard from its plan in S3 to its result there.
"""
