"""A release of the proxy: what identifies it, how traffic moves to it, and a deliberately broken one for drills."""
