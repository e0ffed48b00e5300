"""The room of roll_back."""
