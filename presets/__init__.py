"""Vocabulary of Plainsail: models, keys, sizes and the contracts between its programs.

Imports the standard library, pydantic and a YAML reader at its one loader; no program, no cluster,
no deep-learning stack. Three contracts live here, each in one file with a round-trip test:
`annotations` (user to webhook to others), `runtime_args` (webhook to model server) and
`provision_spec` (webhook to planner).
"""
