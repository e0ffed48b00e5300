"""The load engine: an open model, timed from when each request was due.

arrivals → when requests are due; wire → one connection; generator → sends on time and records; worker → one shard of a
run; summary → what all shards say together.
"""
