"""Documents x their places; scalars that YAML readers take for something else; what is refused."""

import pytest

from cli import manifests


def read(text: str) -> list[manifests.Document]:
    return manifests.read("f", text)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", []),
        ("# only a comment\n", []),
        ("a: 1", ["f, document 1"]),
        ("---\na: 1\n", ["f, document 1"]),
        ("a: 1\n---\nb: 1\n", ["f, document 1", "f, document 2"]),
        ("# licence\n---\na: 1\n---\n---\nb: 1\n", ["f, document 2", "f, document 4"]),
        ("--- {a: 1}\n--- # two\nb: 1\n", ["f, document 1", "f, document 2"]),
        ("a: |\n  x\n  --- y\n", ["f, document 1"]),
        ("a: 1\r\n---\r\nb: 1\r\n", ["f, document 1", "f, document 2"]),
        ("a: ---x\n", ["f, document 1"]),
    ],
)
def test_documents_and_their_places(text: str, places: list[str]) -> None:
    assert [document.place for document in read(text)] == places


def test_scalars_are_what_the_api_server_takes_them_for() -> None:
    (document,) = read("a: 2024-01-01\nb: 1e3\nc: '1'\nd: 1\ne: yes\nf: ~\ng: 0x1F\n")
    (value,) = document.objects
    assert value == {"a": "2024-01-01", "b": "1e3", "c": "1", "d": 1, "e": True, "f": None, "g": 31}


def test_json_may_be_indented_with_tabs() -> None:
    (document,) = read('{\n\t"a": "b"\n}')
    assert document.objects == ({"a": "b"},)


def test_a_list_is_taken_apart() -> None:
    (document,) = read("kind: DeploymentList\nitems: [{a: 1}, {b: 2}]\n")
    assert document.objects == ({"a": 1}, {"b": 2})
    assert document.container == {"kind": "DeploymentList"}


def test_items_of_other_kinds_are_no_list() -> None:
    (document,) = read("kind: ConfigMap\nitems: [{a: 1}]\n")
    assert document.container is None


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3:1", 'key "a" stands twice'),
        ("x: 1\n---\na:\n  b: 1\n  b: 2\n", "f:5:3", 'key "b" stands twice'),
        ("- a\n", "f, document 1", "not an object"),
        ("just text\n", "f, document 1", "not an object"),
        ("1: a\n", "f, document 1", "not an object"),
        ("kind: List\nitems: [1]\n", "f, document 1", "an item is not an object"),
        ("a: !!binary aGk=\n", "f, document 1", "not an object of JSON"),
        ("a: .nan\n", "f, document 1", "not an object of JSON"),
        ("a: &x [*x]\n", "f, document 1", "not an object of JSON"),
        ("a: !!int x\n", "f, document 1", "malformed YAML"),
        ("a: !python/object:os.system x\n", "f:1:4", "malformed YAML"),
        ("a: \x00\n", "f, document 1", "malformed YAML"),
        ("{" * 3000, "", "malformed YAML"),
        ('{"a": ' * 3000 + "1" + "}" * 3000, "", ""),
        ("? [a]\n: b\n", "", ""),
        ("? {a: b}\n: b\n", "", "malformed YAML"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_place(text: str, place: str, says: str) -> None:
    with pytest.raises(manifests.MalformedManifest) as caught:
        read(text)
    assert caught.value.place.startswith(place)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ({"kind": "Job", "metadata": {"name": "a"}}, "Job/a"),
        ({"kind": "Job", "metadata": None}, "Job/(no name)"),
        ({"metadata": {"name": "a"}}, "object/a"),
    ],
)
def test_subject(value: dict[str, object], subject: str) -> None:
    assert manifests.subject(value) == subject


@pytest.mark.parametrize(
    "text",
    [
        "a: 1",
        "---\na: 1\n---\n# only a comment\n---\nb:   2 # kept\n...\n",
        "# licence\n---\n--- # two\na: 1\r\n---\n\n\nb: 1\n\n---\n",
        '{"a": 1}\n---\nb: 1',
    ],
)
def test_what_is_not_changed_comes_out_byte_for_byte(text: str) -> None:
    assert manifests.joined((document, None) for document in read(text)) == text


def test_a_changed_document_keeps_its_place_and_the_comments_above_it() -> None:
    first, second, third = read("a: 1\n--- # of a chart\n# Source: x\n\nb: 1 # gone\n---\nc: 1\n")
    out = manifests.joined([(first, None), (second, "b: 2\n"), (third, None)])
    assert out == "a: 1\n---\n# of a chart\n# Source: x\nb: 2\n---\nc: 1\n"


@pytest.mark.parametrize(("one", "other"), [("a: 1", "b: 1"), ("a: 1\n---\n", "---\nb: 1\n")])
def test_files_are_joined_by_one_separator(one: str, other: str) -> None:
    documents = [*read(one), *read(other)]
    out = manifests.joined((document, None) for document in documents)
    assert [document.objects[0] for document in read(out)] == [{"a": 1}, {"b": 1}]
