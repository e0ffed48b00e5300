"""The web console: a page on this machine only, its calls signed as the person who started it."""
