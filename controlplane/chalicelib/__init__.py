"""The control plane's library: phases decide with `core`, act through `ports`, and are recorded by `runner`."""
