"""Phase 11: proves that the same deployment, repeated, changes nothing.

proof: what counts as proof. change_setting: one variable of `$LATEST`, there and back. move_candidate: the candidate
alias, back and forward.
"""
