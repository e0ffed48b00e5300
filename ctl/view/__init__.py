"""What a person sees: pages, the live board, events, a plan as Markdown."""
