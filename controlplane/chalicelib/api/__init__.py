"""What the HTTP routes do: each takes a Call and the ports and gives an Answer. No web framework in here."""
