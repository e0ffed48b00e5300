"""The room of await_approval."""
