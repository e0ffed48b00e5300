"""Step bake: watches the alarms after all traffic has moved; an alarm rolls the release back."""
