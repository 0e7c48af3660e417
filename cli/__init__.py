"""The `plainsail` command, and with the same program `kubectl plainsail`.

Imports `presets` and the pure parts of the control plane's programs; never `runtime`, the
kubernetes client or a deep-learning stack. Needs no cluster and no network for `expand`.

Main path: `__main__.py:main` picks the verb, `commands/expand.py:run` reads the manifests
(`manifests.py:read`), asks `webhook/admit.py:admit` about each object, and prints
(`render.py:as_yaml`).
"""
