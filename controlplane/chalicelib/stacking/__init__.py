"""Changes a stack: the hands of phase 4 and of restore_settings, whose judgement is `core/stack_state.py`.

inputs → what the stack is told; settle → what its state asks for first; judge → what becomes of a change set; follow →
an operation, resource by resource.
"""
