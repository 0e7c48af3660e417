"""Admission webhook: fills in what a labelled workload leaves out, so that it serves a model.

Imports `presets` and `telemetry` (and, once it makes its own certificates, `certs`); never another
program, the kubernetes client or a deep-learning stack. Stateless: no call leaves it while it
answers.

Main path: `app.py:App` reads the request, `review.py:read` parses it, `decisions.py:Decisions` has
what was asked before, else `admit.py:admit` decides by its `terms.py:Terms` (`case.py:of` finds the
parts, `validate.py:problems` runs the rules, then `expand.py:expand`), and `review.py:answer`
carries the decision back. `several_nodes.py`: a model over several machines; `processors.py`: one
without a GPU.
The command line runs the same `admit.py:admit` offline.
"""
