"""The checks of a release as data, and what runs them against the candidate or, in a revalidation, the live version."""
