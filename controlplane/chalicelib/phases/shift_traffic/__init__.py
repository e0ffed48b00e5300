"""The room of shift_traffic."""
