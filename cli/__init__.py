"""The `plainsail` command, and with the same program `kubectl plainsail`.

Imports `presets` and the pure parts of the control plane's programs; never `runtime`, the
kubernetes client or a deep-learning stack. Needs no cluster and no network for `expand`.

Main path: `__main__.py:main` picks the verb, `commands/expand.py:run` reads and expands the files
(`expansions.py:of`: `manifests.py:read`, then `webhook/admit.py:admit` about each object), and
prints (`manifests.py:joined`). What was chosen is read off the result (`choices.py`) by what tells
its price (`costs.py`) and its reasons (`explanations.py`).
"""
