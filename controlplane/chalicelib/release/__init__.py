"""A release of the proxy: its identity, traffic weights, and a deliberately broken one for drills."""
