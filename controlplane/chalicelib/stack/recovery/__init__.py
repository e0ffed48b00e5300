"""What was deleted or changed underneath an environment's stack, and how it comes back.

losses: finds it. repair: makes it again in place. rebuild, parts: bring back an API, a function or a role by updates of
the stack.
"""
