"""Messages to the prompt that a model was trained on: its chat template, or a plain transcript."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

import jinja2

from runtime import sequence


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


class Tokenizer(Protocol):
    """What we use of a transformers tokenizer."""

    chat_template: str | None

    def __call__(self, text: str) -> Mapping[str, list[int]]:
        """A mapping whose `input_ids` are the text's, special tokens added."""

    def apply_chat_template(
        self,
        conversation: list[dict[str, object]],
        *,
        add_generation_prompt: bool,
        tokenize: bool,
        return_dict: bool,
    ) -> list[int]:
        """The ids of the rendered conversation."""


class CannotRender(ValueError):
    """The model's chat template refuses these messages; the message is the template's own."""


class ContextExceeded(ValueError):
    """The prompt leaves no room for an answer; the message gives both lengths."""


_SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant"}


def prompt(tokenizer: Tokenizer, messages: Sequence[Message]) -> sequence.Prompt:
    """The prompt that asks for the next assistant turn.

    Without a template (a base model) a lone user message is the text to continue, and several
    make a transcript that ends when the next user turn would begin.

    Raises:
        CannotRender: the template refuses, say because roles do not alternate.
    """
    if tokenizer.chat_template:
        return sequence.Prompt(_templated(tokenizer, messages))
    if len(messages) == 1 and messages[0]["role"] == "user":
        return continuation(tokenizer, messages[0]["content"])
    lines = [f"{_SPEAKERS.get(m['role'], m['role'])}: {m['content']}" for m in messages]
    ids = tokenizer("\n".join([*lines, "Assistant:"]))["input_ids"]
    return sequence.Prompt(tuple(ids), stop=("\nUser:",))


def continuation(tokenizer: Tokenizer, text: str) -> sequence.Prompt:
    """The prompt whose answer continues `text` itself."""
    return sequence.Prompt(tuple(tokenizer(text)["input_ids"]), continued=True)


def _templated(tokenizer: Tokenizer, messages: Sequence[Message]) -> tuple[int, ...]:
    try:
        ids = tokenizer.apply_chat_template(
            [dict(m) for m in messages],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=False,
        )
    except jinja2.TemplateError as error:
        raise CannotRender(f"the model's chat template refuses: {error}") from error
    return tuple(ids)


def room(prompt_tokens: int, context_tokens: int) -> int:
    """Tokens that an answer may have, at least one.

    Raises:
        ContextExceeded: the prompt fills the context.
    """
    if prompt_tokens >= context_tokens:
        raise ContextExceeded(
            f"the prompt has {prompt_tokens} tokens; this model's context holds {context_tokens},"
            " prompt and answer together"
        )
    return context_tokens - prompt_tokens
