"""The steps of an upgrade, one a state of the workflow, all in the Lambda `Upgrade`, whose role they share."""
