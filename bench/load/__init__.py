"""The load engine against wrk, hey and Locust, on one server, in one run: speed, truth, and merging."""
