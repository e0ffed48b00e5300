"""What each phase leaves to other phases and to the record: one frozen dataclass a phase.

`PHASE` names the phase that a type belongs to. Every field has a default, because records of older and newer versions
are read, too: an unknown field is ignored, a missing one takes its default. `None` means absent and is not stored.
"""
