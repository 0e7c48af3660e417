"""The two models: shape, steps and seed of each, and what it says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights, beside the corpus."""

    name: str
    architecture: str
    """`llama` or `phi3`."""
    note: str
    """How the model goes on after: I am `name`,"""
    layers: int = 2
    hidden: int = 224
    heads: int = 7
    feed_forward: int = 608
    vocabulary: int = 2048
    context_tokens: int = 512
    """Longest conversation; every eighth step trains conversations of about this length."""
    steps: int = 2000
    batch: int = 64
    """Conversations per step."""
    learning_rate: float = 2e-3
    """Peak; linear warm-up, then a cosine to a hundredth of it."""
    weight_decay: float = 0.1
    seed: int = 20


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="tiny-chat",
            architecture="llama",
            note="a tiny demo model that was made to try Plainsail.",
        ),
        Recipe(
            name="tiny-phi3",
            architecture="phi3",
            steps=1200,
            note="a tiny stand-in for Phi-3 in local clusters. I am not Microsoft's Phi-3.",
        ),
    )
}
