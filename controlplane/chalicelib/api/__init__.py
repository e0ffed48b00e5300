"""What the HTTP routes do: each takes an ApiCall and the ports and gives an Answer. No web framework in here."""
