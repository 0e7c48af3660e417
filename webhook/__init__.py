"""Admission webhook: fills in what a labelled workload leaves out, so that it serves a model.

Imports `presets` and `telemetry` (and, once it makes its own certificates, `certs`); never another
program, the kubernetes client or a deep-learning stack. Stateless: no call leaves it while it
answers.

Main path: `app.py:App` reads the request, `review.py:read` parses it, `admit.py:admit` decides by
its `terms.py:Terms` (`case.py:of` finds the parts, `validate.py:problems` runs the rules, then
`expand.py:expand`), `review.py:answer` carries the decision back.
The command line runs the same `admit.py:admit` offline.
"""
