"""The commands' names, options and help texts. What they do is in the modules beside this package."""
