from presets import field_errors
from presets.field_errors import ABSENT, FieldError


def test_an_error_shows_path_value_message_reason_and_hint() -> None:
    error = FieldError("metadata.labels[a]", "x", "UnknownX", "is not an X", 'did you mean "y"?')
    assert error.render() == (
        'metadata.labels[a]: "x" is not an X (UnknownX)\n  hint: did you mean "y"?'
    )


def test_an_absent_value_and_an_absent_hint_are_left_out() -> None:
    assert FieldError("a", ABSENT, "Needed", "absent").render() == "a: absent (Needed)"


def test_a_long_value_is_cut() -> None:
    """A message never carries a whole body."""
    assert FieldError("a", "x" * 10**6, "Long", "is long").render() == (
        f'a: "{"x" * 119}... (1000002 characters) is long (Long)'
    )


def test_errors_come_in_the_order_of_their_paths() -> None:
    errors = [FieldError(path, ABSENT, "R", "m") for path in ("b", "a")]
    assert field_errors.render(errors) == "a: m (R)\nb: m (R)"
