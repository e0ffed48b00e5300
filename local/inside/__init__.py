"""What runs in the emulator's own process: corrections that are always on, and the switches of the strict cloud.

Standard library and MiniStack only; the emulator's interpreter imports it, and the project's own never does, except
for the modules without MiniStack (`alarm_rules`, `ledger`, `rates`, `attributes`, `resources`), which the tests read.
"""
