"""The model server: one causal language model behind KAITO's `/chat` and the OpenAI paths.

Runs in the user's pods. Imports `presets.runtime_args` and nothing else of ours; never the
Kubernetes client. torch and transformers are imported by `loading` and `generate`, on the engine's
thread: `--help`, a wrong argument and a missing directory answer at once, and `/healthz` while the
weights load.

Main path of a request:
    api.build           route, read the body whatever its content type says
    protocol            wire types; what we do not support is refused by name
    chat.prompt         chat template, token ids; chat.room: what the context leaves
    sampling.choose     request, then the model's generation config, then the surface's default
    engine.Engine       waits its turn; one thread runs every torch operation
    generate.Generator  transformers' `generate`, token by token
    detokenize          whole characters, stop strings
    completions, kaito  the answer on the wire
"""
