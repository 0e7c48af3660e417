"""Trains tiny-chat and its Phi-3 twin from nothing: `python -m models.training`.

Imports torch, transformers and tokenizers; none of Plainsail's programs, and none of them imports
this package. It needs no network: the corpus is written for the purpose and lies beside the code.

The main path: `__main__.build` reads `corpus.load`, trains a tokenizer (`vocabulary.train`) on
questions drawn by `examples.Source`, trains the network (`train.run`), saves both, loads them
again as a user would, asks the held-out questions (`evaluate.run`) and writes the card
(`card.render`).
"""
