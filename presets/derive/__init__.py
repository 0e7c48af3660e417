"""A preset from a model's own `config.json`: what serving and tuning a model without a preset take.

Attention (MHA, GQA, MQA, MLA), windows, hybrid layers, mixtures, quantization and tied heads are
read as the config states them; nothing is downloaded or opened here. The main path:

- `model.py:preset` puts the preset together, or raises with every mistake of the config
- `config.py:Config` reads single values and collects the mistakes
- `layers.py:layers` says how every layer remembers a sequence, `states.py` for how many bytes where
  that is a state of fixed size
- `parameters.py:count` counts parameters from the shapes
- `weights.py:file_bytes` sizes the weights by their files, `estimate_bytes` by the parameters
"""

from presets.derive.model import MalformedConfig, name_of, preset

__all__ = ["MalformedConfig", "name_of", "preset"]
