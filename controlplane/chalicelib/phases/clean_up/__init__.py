"""The room of clean_up."""
