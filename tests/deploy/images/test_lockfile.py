"""Splitting the lock: every pin in one part, and no part without what it needs."""

from pathlib import Path

import pytest

from deploy.local.images import lockfile

LOCK = """\
click==8.5.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via uvicorn
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
    # via
    #   -c requirements/base.txt
    #   click
kubernetes==37.0.2 \\
    --hash=sha256:dd
    # via plainsail (pyproject.toml)
six==1.0 \\
    --hash=sha256:ee
    # via kubernetes
torch==2.13.0 \\
    --hash=sha256:ff
    # via
    #   plainsail (pyproject.toml)
    #   peft
sympy==1.14.0 \\
    --hash=sha256:11
    # via torch
uvicorn==0.54.0 \\
    --hash=sha256:22
    # via plainsail (pyproject.toml)
"""


def names(pins: tuple[lockfile.Pin, ...]) -> list[str]:
    return [pin.name for pin in pins]


def test_each_package_goes_where_what_asks_for_it_goes() -> None:
    split = lockfile.split(lockfile.parse(LOCK))
    assert (names(split.light), names(split.torch_stack), names(split.left_out)) == (
        ["click", "colorama", "uvicorn"],
        ["torch", "sympy"],
        ["kubernetes", "six"],
    )


def test_a_part_keeps_versions_markers_and_hashes_and_drops_comments() -> None:
    pins = [pin for pin in lockfile.parse(LOCK) if pin.name in {"click", "colorama"}]
    assert lockfile.text(pins) == (
        "click==8.5.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:cc\n"
    )


def test_a_new_direct_requirement_is_light() -> None:
    lock = LOCK + "newcomer==1.0 \\\n    --hash=sha256:33\n    # via plainsail (pyproject.toml)\n"
    assert "newcomer" in names(lockfile.split(lockfile.parse(lock)).light)


def test_an_empty_lock_has_no_pins() -> None:
    assert lockfile.parse("# nothing\n") == []


@pytest.fixture(scope="module")
def pins() -> list[lockfile.Pin]:
    return lockfile.parse(Path("requirements/runtime.txt").read_text())


def test_every_pin_of_our_lock_is_in_exactly_one_part(pins: list[lockfile.Pin]) -> None:
    split = lockfile.split(pins)
    parts = [*split.light, *split.torch_stack, *split.left_out]
    assert sorted(names(tuple(parts))) == sorted(pin.name for pin in pins)


def test_our_lock_holds_every_name_that_the_split_goes_by(pins: list[lockfile.Pin]) -> None:
    known = lockfile.TORCH_STACK | lockfile.CONTROL_PLANE | {lockfile.CERTIFICATES}
    assert known <= {pin.name for pin in pins}


def test_what_a_light_package_asks_for_is_light(pins: list[lockfile.Pin]) -> None:
    light = {pin.name for pin in lockfile.split(pins).light}
    heavy = lockfile.TORCH_STACK | lockfile.CONTROL_PLANE
    assert [pin.name for pin in pins if pin.parents & light and pin.name not in light | heavy] == []


def test_the_server_is_light_and_the_accelerator_libraries_are_not(
    pins: list[lockfile.Pin],
) -> None:
    split = lockfile.split(pins)
    assert {"fastapi", "uvicorn", "uvloop", "jinja2", "certifi"} <= set(names(split.light))
    assert {"numpy", "triton", "nvidia-cudnn-cu13"} <= set(names(split.torch_stack))
    assert "kubernetes" in names(split.left_out)
