"""AWS value types that ports take and answer: plain frozen dataclasses."""
