"""Takes away what deployments leave behind, and looks for what is left: the hands of phase 12.

search → what there is; environment → all of one environment; leftovers → what a rollout no longer needs.
"""
