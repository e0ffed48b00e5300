"""Routes of fleets: environments that are rolled in waves, with status, abort, approval and report of the whole."""
