"""Step shift_traffic: moves user traffic to the candidate step by step, as long as no alarm fires."""
