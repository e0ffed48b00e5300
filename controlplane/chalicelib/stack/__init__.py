"""An environment's CloudFormation stack: inputs, states, change sets, progress."""
