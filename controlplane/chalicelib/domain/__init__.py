"""The words of the control plane, without AWS: records, configuration, names, times, errors."""
