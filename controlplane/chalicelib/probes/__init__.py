"""Looks at a running release and tells what it saw: the hands of phases 7 to 9, whose eyes are `core/checks.py`.

target → where the release is and what is known of it; observe → one check; upstream → the stand-in that fails to order;
throttle → drives until 429.
"""
