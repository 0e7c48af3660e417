"""Messages to prompts, with a template and without."""

import jinja2
import pytest

from runtime import chat
from tests.runtime import scripted

USER: chat.Message = {"role": "user", "content": "hi"}
SYSTEM: chat.Message = {"role": "system", "content": "be brief"}


def text(ids: tuple[int, ...]) -> str:
    return "".join(map(chr, ids))


def test_a_template_renders_the_turns_and_opens_the_next() -> None:
    prompt = chat.prompt(scripted.Characters("t"), [SYSTEM, USER])
    assert text(prompt.ids) == "<system>be brief<user>hi<assistant>"
    assert not prompt.continued


def test_a_base_model_continues_a_lone_user_message() -> None:
    prompt = chat.prompt(scripted.Characters(None), [USER])
    assert text(prompt.ids) == "hi"
    assert prompt.continued


def test_a_base_model_gets_several_turns_as_a_transcript() -> None:
    prompt = chat.prompt(scripted.Characters(None), [SYSTEM, USER])
    assert text(prompt.ids) == "System: be brief\nUser: hi\nAssistant:"
    assert prompt.stop == ("\nUser:",)


def test_a_refusal_of_the_template_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> list[int]:
        raise jinja2.TemplateError("roles must alternate")

    tokenizer = scripted.Characters("t")
    monkeypatch.setattr(tokenizer, "apply_chat_template", refuse)
    with pytest.raises(chat.CannotRender, match="roles must alternate"):
        chat.prompt(tokenizer, [USER, USER])


def test_room_is_what_the_prompt_leaves() -> None:
    assert chat.room(9, 10) == 1
    with pytest.raises(chat.ContextExceeded, match=r"10 tokens; .* holds 10"):
        chat.room(10, 10)
