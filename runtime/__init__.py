"""The model server: one causal language model behind KAITO's `/chat` and the OpenAI paths.

Runs in the user's pods. Imports `presets.runtime_args` and nothing else of ours; never the
Kubernetes client. torch and transformers are imported by `loading.load`, on the engine's thread,
so `--help`, a wrong argument and a missing directory answer at once, and `/healthz` while weights
load.

Main path of a request:
    api.build           route, read the body whatever its content type says
    protocol.parse      wire types; what we do not support is refused by name
    prompts.Prompter    chat template, token count, room in the context
    sampling.choose     request, then the model's generation config, then the surface's default
    engine.Engine       waits its turn; one thread runs every torch operation
    generate.Generator  transformers' `generate`, token by token
    detokenize          whole characters, stop strings
    completions, kaito  the answer on the wire
"""
