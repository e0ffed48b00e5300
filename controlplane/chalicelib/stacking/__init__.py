"""Brings a stack to its template: the hands of phase 4, whose judgement is `core/stack_state.py`.

inputs → what the stack is told; settle → what its state asks for first; follow → an operation, resource by resource.
"""
