"""The one exception that users see: what is wrong, and what to do about it."""


class CannotRun(Exception):
    """The machine lacks something that the local cluster needs, or a step of its start failed."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def render(self) -> str:
        """`error: ...` and, on its own line, `hint: ...`."""
        text = f"error: {self}"
        return f"{text}\nhint: {self.hint}" if self.hint else text
