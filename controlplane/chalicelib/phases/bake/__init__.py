"""The room of bake."""
