"""The scheduler extender: explains and guards placement beside our own kube-scheduler.

Its place in the layers; the program is not built yet. May import `presets` only.
"""
