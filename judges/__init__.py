"""Judges that nobody here wrote: AWS's own data and other people's interpreters hold what this project sends to AWS."""
