"""The configuration, the options and the secret as people and tools read about them: JSON Schemas and effects."""
