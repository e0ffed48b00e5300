"""What the proxy costs: latency, cold start, memory and streams, each against something else in the same run."""
