"""Why fields were added: every field of every expansion has a sentence, and the right one."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import comments, explanations, manifests, render, sentences
from presets import annotations
from tests import builders, golden_terms
from tests.cli.running import TINY, Run
from tests.conftest import GOLDEN, Goldens
from tests.laws import holding
from webhook import fill, record

TERMS = golden_terms.TERMS
EXPAND = sorted((GOLDEN / "expand").iterdir())

PHI = """apiVersion: apps/v1
kind: Deployment
metadata: {name: phi, labels: {kaito.sh/preset: phi-3-mini-4k-instruct}}
"""


def expanded(workload: dict[str, Any]) -> dict[str, Any]:
    return holding.allowed(workload, terms=TERMS).workload


def whys(workload: dict[str, Any]) -> dict[str, str]:
    found = explanations.of(expanded(workload), TERMS)
    return {explanations.shown(path): sentence for path, sentence in found}


def leaves(tree: dict[str, Any], path: sentences.Path = ()) -> list[sentences.Path]:
    found = []
    for key, added in tree.items():
        if isinstance(added, dict):
            found += leaves(added, (*path, key))
        elif key != fill.CREATED:
            found.append((*path, key))
    return found


def assert_explained(workload: dict[str, Any]) -> None:
    kept = record.of(workload)
    assert kept is not None
    for path in leaves(dict(kept.tree)):
        is_tuned = annotations.TUNING_METHOD in kept.inputs
        sentence = explanations.sentence_for(path, is_tuned=is_tuned)
        assert sentence is not explanations.unexplained, explanations.shown(path)


@pytest.mark.parametrize("case", EXPAND, ids=lambda case: case.name)
def test_every_field_that_a_golden_case_gets_has_a_sentence(case: Path, goldens: Goldens) -> None:
    assert_explained(yaml.safe_load(goldens.read(case / "out.yaml")))
    goldens.read(case / "in.yaml")


@pytest.mark.parametrize("seed", range(200))
def test_every_field_that_is_ever_added_has_a_sentence(seed: int) -> None:
    assert_explained(expanded(builders.anyhow(seed)))


@pytest.mark.parametrize("seed", range(50))
def test_comments_change_nothing_for_who_reads_the_yaml(seed: int) -> None:
    """And each sentence stands in them."""
    workload = expanded(builders.anyhow(seed))
    about = dict(explanations.of(workload, TERMS))
    text = comments.above(render.as_yaml(workload), about)
    (document,) = manifests.read("f", text)
    assert document.objects == (workload,)
    told = " ".join(line.strip()[2:] for line in text.splitlines() if line.strip()[:1] == "#")
    assert all(sentence in told for sentence in about.values())


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
def test_comments_stand_above_their_fields_below_a_text_with_other_line_ends(end: str) -> None:
    """YAML counts them as ends of lines."""
    texts = {"example.com/a": end * 20, "example.com/b": f"a{end}b\nc{end}"}
    made = [builders.deployment().preset() for _ in range(2)]
    for key, text in texts.items():
        made[1] = made[1].annotation(key, text)
    plain, odd = (expanded(one.build()) for one in made)
    told = [
        comments.above(render.as_yaml(one), dict(explanations.of(one, TERMS)))
        for one in (plain, odd)
    ]
    (document,) = manifests.read("f", told[1])
    assert document.objects == (odd,)
    assert told[1].split("\nspec:")[1] == told[0].split("\nspec:")[1]


def test_a_workload_that_nothing_is_bought_for_has_its_reasons() -> None:
    bought = whys(yaml.safe_load(PHI))
    mine = builders.deployment("phi").preset("phi-3-mini-4k-instruct")
    found = whys(mine.annotation("kaito.sh/provision", "off").build())
    assert found == {path: bought[path] for path in found}
    assert any("resources" in path for path in found)
    assert any("affinity" in path for path in found)


def test_the_whole_output(run: Run, goldens: Goldens) -> None:
    status, out, _ = run("expand", "--explain", "-f", "-", stdin=PHI)
    assert status == 0
    goldens.check(GOLDEN / "cli" / "expand-explain.yaml", out)


def test_the_whole_output_with_json(run: Run, goldens: Goldens) -> None:
    _, out, err = run("expand", "--explain", "-o", "json", "-f", "-", stdin=PHI)
    assert run("expand", "-o", "json", "-f", "-", stdin=PHI)[1] == out
    goldens.check(GOLDEN / "cli" / "expand-explain-json.txt", err)


def test_what_is_expanded_already_is_explained_too(run: Run) -> None:
    _, once, _ = run("expand", "-f", "-", stdin=TINY)
    _, direct, _ = run("expand", "--explain", "-f", "-", stdin=TINY)
    _, later, _ = run("expand", "--explain", "-f", "-", stdin=once)
    assert later == direct


def test_the_items_of_a_list_are_explained(run: Run) -> None:
    item = TINY.replace("\n", "\n  ").rstrip()
    _, out, _ = run("expand", "--explain", "-f", "-", stdin=f"kind: List\nitems:\n- {item}\n")
    comment, field = out.split("      # there is no selector")[1].splitlines()[:2]
    assert comment == ": pods are found by the workload's name"
    assert field == "      selector:"


AFFINITY = "spec.template.spec.affinity"


@pytest.mark.parametrize(
    ("workload", "says"),
    [
        (builders.deployment().preset(), "the preset tiny-chat prefers them"),
        (
            builders.deployment()
            .preset()
            .annotation("kaito.sh/instance-types", "Standard_NC24ads_A100_v4"),
            "the annotation kaito.sh/instance-types names them",
        ),
        (
            builders.deployment()
            .preset()
            .pod(nodeSelector={"node.kubernetes.io/instance-type": "Standard_NC24ads_A100_v4"}),
            "the node selector names it",
        ),
        (
            builders.deployment().preset("phi-4"),
            "the cheapest of azure that hold phi-4",
        ),
    ],
)
def test_who_named_the_machines(workload: builders.Workload, says: str) -> None:
    assert whys(workload.build())[AFFINITY].endswith(says)


def test_who_named_the_container() -> None:
    beside = builders.deployment().preset().container("app", image="a:1")
    named = whys(beside.annotation("kaito.sh/container", "chat").build())
    assert named["spec.template.spec.containers[chat]"].startswith("kaito.sh/container names")
    alone = whys(builders.deployment().preset().build())
    assert alone["spec.template.spec.containers[model]"].startswith("the template has no container")


def test_a_container_of_the_users_is_not_said_to_be_added() -> None:
    found = whys(builders.deployment().preset().container("own").build())
    assert "spec.template.spec.containers[own]" not in found
    assert "spec.template.spec.containers[own].image" in found


def test_how_machines_are_bought() -> None:
    path = "spec.template.metadata.annotations[kaito.sh/provision-spec]"
    asked = builders.deployment().preset().annotation("kaito.sh/capacity-type", "spot")
    assert whys(asked.build())[path].endswith("spot, by kaito.sh/capacity-type")
    assert (
        "on-demand, as no kaito.sh/capacity-type"
        in whys(builders.deployment().preset().build())[path]
    )


@pytest.mark.parametrize(
    ("case", "container", "says"),
    [
        (
            "tuning-from-a-claim-to-a-claim",
            "trainer",
            ("kaito.sh/tuning-method", "kaito.sh/tuning-config", "; model and dtype of the preset"),
        ),
        (
            "tuning-from-urls-to-an-image",
            "tune",
            ("; model of the preset", "cannot compute in bfloat16", "every pod of the Job tunes"),
        ),
    ],
)
def test_the_arguments_of_a_tuning_run(
    case: str, container: str, says: tuple[str, ...], goldens: Goldens
) -> None:
    found = whys(yaml.safe_load(goldens.read(GOLDEN / "expand" / case / "in.yaml")))
    told = found[f"spec.template.spec.containers[{container}].args"]
    assert all(text in told for text in says)
    assert "name" not in told
    assert ("revision" in told) == (container == "tune"), "the claim's weights have none"


def test_arguments_that_were_changed_by_hand_are_no_obstacle(run: Run) -> None:
    _, once, _ = run("expand", "-f", "-", stdin=PHI)
    changed = once.replace("--served-name=", "--called=")
    status, out, _ = run("expand", "--explain", "-f", "-", stdin=changed)
    assert status == 0
    assert "model and name of the preset" in out


def test_nothing_is_explained_of_what_was_not_expanded() -> None:
    assert list(explanations.of(builders.deployment().build(), TERMS)) == []
