"""One module per verb: `register` adds its flags, `run` does it and returns the exit status."""
