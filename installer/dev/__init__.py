"""Tools of those who work on the project: locks, mutation tests, documents that are made from the code."""
