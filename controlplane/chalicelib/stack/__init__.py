"""An environment's CloudFormation stack, for the phases that create, update, plan or delete it.

state: what to do with a stack in each state (create, update, delete first, wait, refuse). settle: does what must come
before a change set. change_set, follow: carry a change out. replacements: changes that need a person's consent.
recovery: what was deleted or changed underneath the stack, and how it comes back. update: changes of what
users feel. failure: the cause of a failed operation. template, inputs, urls: what goes into the stack, and what comes
out.
"""
