"""What no generated patch and no expanded object may ever be; each law over 200 drawn workloads.

The drawn space is that of `builders.anyhow`, as created and as stored, x what is then done to it:
touched, replaced by its manifest, the label taken off. The applier here is strict and shares no
code with ours; the rows W1-W24 are those of docs/concepts/admission.md.
"""

import copy
import random
import re
from collections.abc import Iterator
from typing import Any

import jsonpatch
import kubernetes_validate
import pytest

from presets import annotations
from tests import builders
from tests.laws.holding import allowed
from webhook import placement, reasons, workloads

SEEDS = range(200)

Object = dict[str, Any]


class NotApplicable(Exception):
    """The operation cannot be carried out as RFC 6902 says."""


def strictly_applied(patch: list[Object], document: Any) -> Any:
    """`document` after `add` and `remove` operations (RFC 6902, 4.1 and 4.2); nothing is forgiven.

    Raises:
        NotApplicable: a member of another name, a parent that is not there, an index out of range.
    """
    out = copy.deepcopy(document)
    for operation in patch:
        if operation.keys() != {"op", "path", *(["value"] if operation["op"] == "add" else [])}:
            raise NotApplicable(str(operation))
        *above, last = [_unescaped(part) for part in _parts(operation["path"])]
        parent = out
        for part in above:
            parent = _member(parent, part)
        if operation["op"] == "add":
            _add(parent, last, copy.deepcopy(operation["value"]))
        elif operation["op"] == "remove":
            _member(parent, last)
            del parent[int(last) if isinstance(parent, list) else last]
        else:
            raise NotApplicable(operation["op"])
    return out


def _parts(path: str) -> list[str]:
    if not path.startswith("/"):
        raise NotApplicable(path)
    return path[1:].split("/")


def _unescaped(part: str) -> str:
    if re.search("~(?![01])", part):
        raise NotApplicable(part)
    return part.replace("~1", "/").replace("~0", "~")


def _member(parent: Any, key: str) -> Any:
    if isinstance(parent, dict) and key in parent:
        return parent[key]
    if isinstance(parent, list) and re.fullmatch("0|[1-9][0-9]*", key) and int(key) < len(parent):
        return parent[int(key)]
    raise NotApplicable(key)


def _add(parent: Any, key: str, value: Any) -> None:
    if isinstance(parent, dict):
        parent[key] = value
    elif isinstance(parent, list) and key == "-":
        parent.append(value)
    elif isinstance(parent, list) and key.isdigit() and int(key) <= len(parent):
        parent.insert(int(key), value)
    else:
        raise NotApplicable(key)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/a/b/c", "value": 1},
        {"op": "add", "path": "/l/2", "value": 1},
        {"op": "add", "path": "/n/-", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "/a"},
        {"op": "remove", "path": "/b"},
        {"op": "remove", "path": "/l/01"},
        {"op": "replace", "path": "/a", "value": 1},
        {"op": "add", "path": "/a~2", "value": 1},
    ],
    ids=str,
)
def test_the_strict_applier_forgives_nothing(operation: Object) -> None:
    """W4: the judge is only as good as what it refuses."""
    with pytest.raises(NotApplicable):
        strictly_applied([operation], {"a": {}, "l": [0], "n": None})


def requests(seed: int) -> Iterator[tuple[Object, Object | None]]:
    """New and old object of each kind of request about one workload."""
    manifest = builders.anyhow(seed)
    arriving = builders.stored(manifest)
    yield manifest, None
    yield arriving, None
    old = builders.stored(allowed(arriving).workload)
    touched = copy.deepcopy(old)
    touched["metadata"].setdefault("annotations", {})["example.com/a~b"] = "x"
    yield touched, old
    yield arriving, old
    if workloads.kind_of(old) == workloads.JOB:
        return
    edited = copy.deepcopy(old)
    edited["spec"]["template"]["spec"]["tolerations"] = [{"operator": "Exists"}]
    yield edited, old
    if all(container.get("image") for container in workloads.containers(arriving) or [{}]):
        freed = copy.deepcopy(old)
        del freed["metadata"]["labels"][annotations.PRESET]
        yield freed, old


@pytest.mark.parametrize("seed", SEEDS)
def test_every_patch_applies_to_what_it_was_made_for(seed: int) -> None:
    """W4: by a strict applier and by an independent one, to the object that was decided on."""
    for new, old in requests(seed):
        before = copy.deepcopy((new, old))
        decision = allowed(new, old)
        assert (new, old) == before
        assert strictly_applied(decision.patch, new) == decision.workload
        assert jsonpatch.apply_patch(new, decision.patch) == decision.workload


@pytest.mark.parametrize("seed", SEEDS[:60])
def test_every_expanded_object_follows_the_schema_of_kubernetes(seed: int) -> None:
    """W5: no misspelt field and none of a wrong type."""
    manifest = builders.anyhow(seed)
    if workloads.kind_of(manifest) == workloads.JOB:
        for key in ("replicas", "minReadySeconds"):  # drawn for every kind, and no Job has them
            manifest.get("spec", {}).pop(key, None)
    out = _without_nulls(allowed(builders.stored(manifest)).workload)
    kubernetes_validate.validate(out, "1.36", strict=True)


def _without_nulls(value: Any) -> Any:
    """As the API server reads it: a null is a field that is not there."""
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def test_the_schema_refuses_a_misspelt_field() -> None:
    """W5: the control: the API server would drop it without a word."""
    out = _without_nulls(allowed(builders.stored(builders.deployment().preset().build())).workload)
    out["spec"]["template"]["spec"]["toleration"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(out, "1.36", strict=True)


def own_values(draw: random.Random) -> Object:
    """Tolerations and affinity of the user's, which may or may not let GPU nodes in."""
    keys = ["sku", "nvidia.com/gpu", "mine"]
    tolerations = [
        {"key": key, "operator": "Exists", **draw.choice([{}, {"effect": "NoSchedule"}])}
        for key in draw.sample(keys, draw.randint(1, 3))
    ]
    expression = {"key": "zone", "operator": "In", "values": ["a"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {placement.REQUIRED: terms}}
    return {"tolerations": tolerations, **draw.choice([{}, {"affinity": affinity}])}


@pytest.mark.parametrize("seed", SEEDS)
def test_tolerations_affinity_and_arguments_of_the_user_stay_to_the_byte(seed: int) -> None:
    """W10: and a warning says what they lack."""
    draw = random.Random(seed)
    own = own_values(draw)
    args = ["--port", str(draw.randint(1, 9)), "--x"]
    made = draw.choice([builders.deployment, builders.stateful_set, builders.job])()
    before = made.preset().pod(**own).container("own", image="own:1", args=args).build()
    decision = allowed(before)
    pod = workloads.pod_spec(decision.workload)
    assert {key: pod[key] for key in own} == own
    assert pod["containers"][0]["args"] == args
    held = {toleration["key"] for toleration in own["tolerations"]}
    said = {note.reason: note.message for note in decision.notes}
    for taint in ("sku", "nvidia.com/gpu"):
        assert (taint in said.get(reasons.TOLERATIONS_KEPT, "")) == (taint not in held)
    assert (reasons.AFFINITY_KEPT in said) == ("affinity" in own)


@pytest.mark.parametrize("seed", SEEDS)
def test_opting_out_is_the_inverse_of_opting_in(seed: int) -> None:
    """W12: label on, label off: the workload as it was stored, edits between the two included."""
    draw = random.Random(seed)
    made = draw.choice([builders.deployment, builders.stateful_set])().selector(app="x")
    own = own_values(draw) if draw.random() < 0.5 else {}
    never = builders.stored(made.pod(**own).container("own", image="own:1").build())
    labelled = copy.deepcopy(never)
    labelled["metadata"]["labels"] = {annotations.PRESET: "tiny-chat"}
    old = builders.stored(allowed(labelled, never).workload)
    assert old["spec"] != never["spec"]
    new = copy.deepcopy(old)
    edit = {"replicas": draw.randint(0, 9)}
    new["spec"].update(edit)
    del new["metadata"]["labels"]
    freed = allowed(new, old)
    assert freed.reason == reasons.RELEASED
    assert freed.workload["spec"] == {**never["spec"], **edit}
    assert freed.workload["metadata"] == never["metadata"]


@pytest.mark.parametrize("seed", SEEDS)
def test_fields_of_a_later_kubernetes_survive_and_change_nothing(seed: int) -> None:
    """W16: unknown fields at any depth are in the result, and the patch is the same without."""
    plain = builders.stored(builders.anyhow(seed))
    later, draw = copy.deepcopy(plain), random.Random(seed)
    places = list(_mappings(later))
    chosen = [places[0], *draw.sample(places[1:], min(3, len(places) - 1))]
    for number, place in enumerate(chosen):
        place[f"fromALaterVersion{number}"] = {"nested": [number, None, 1.5]}
    without, found = allowed(plain), allowed(later)
    after = strictly_applied(found.patch, later)
    for number, _ in enumerate(chosen):
        assert str(after).count(f"fromALaterVersion{number}'") == 1
    assert _paths(found.patch) == _paths(without.patch)


def _mappings(value: Any) -> Iterator[Object]:
    """Objects of a workload that have named fields: no labels, selectors and the like."""
    if isinstance(value, dict):
        yield value
        for key, part in value.items():
            if key not in {"labels", "annotations", "matchLabels", "nodeSelector", "limits"}:
                yield from _mappings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _mappings(part)


def _paths(patch: list[Object]) -> list[str]:
    return [operation["path"] for operation in patch]
