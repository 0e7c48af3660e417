"""Vocabulary of Plainsail: models, keys, sizes and the contracts between its programs.

Imports the standard library, pydantic and a YAML reader at its one loader; no program, no cluster,
no deep-learning stack. Where to look:

- contracts between programs: `annotations` (user to webhook to others), `runtime_args` (webhook to
  model server) and `provision_spec` (webhook to planner), each with a round-trip test;
  `scheduling`, the names that webhook, scheduler and extender share
- keys of the user: `annotations` lists them, `metadata` reads a `request` from them; `forms` reads
  single values with `sources`, `adapter_list`, `money` and `syntax`; `problems` is what can be
  wrong with one, `contradictions` what with several
- models: `catalog` finds one by name, `schema` reads `models/*.yaml`, `preset` is one model,
  `derive` makes one from a `config.json`, `catalog_page` writes docs/reference/presets.md
- machines: `gpus` and `prices`, read by `tables` from `machines/*.csv`
- what runs where: `sizing` lays a model out on a machine, `offers` orders the machines by price
- shared: `field_errors` says what is wrong with an object, `images` names what we publish
"""
