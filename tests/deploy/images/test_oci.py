"""OCI images: stable digests, what a layer holds, references."""

import hashlib
import io
import json
import os
import random
import tarfile
from pathlib import Path

import pytest

from deploy.local.images import oci

ENTRIES: list[oci.Entry] = [
    oci.File("opt/a/run", b"#!", 0o755),
    oci.File("opt/a/data", b"x" * 3000),
    oci.Link("bin", "usr/bin"),
    oci.Directory("tmp", 0o1777),
]


def members(layer: oci.Blob) -> dict[str, tarfile.TarInfo]:
    assert isinstance(layer.content, bytes)
    with tarfile.open(fileobj=io.BytesIO(layer.content)) as tar:
        return {member.name: member for member in tar}


@pytest.mark.parametrize("seed", range(20))
def test_order_of_entries_does_not_change_the_digest(seed: int) -> None:
    shuffled = random.Random(seed).sample(ENTRIES, len(ENTRIES))
    assert oci.layer(shuffled).digest == oci.layer(ENTRIES).digest


def test_times_and_owners_of_files_do_not_change_the_digest(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x")
    digests = set()
    for time in (1, 2_000_000_000):
        os.utime(file, (time, time))
        digests.add(oci.layer([oci.File("f", file)]).digest)
    assert len(digests) == 1


def test_the_digest_of_a_layer_is_known() -> None:
    """Pinned: another digest would make every machine pull every layer again."""
    assert oci.layer(ENTRIES).digest == (
        "sha256:bc08a329cdc47b78092f899d5141daaec7ee1f64cd96b905db80a56243f46100"
    )


def test_a_layer_written_to_a_file_equals_one_in_memory(tmp_path: Path) -> None:
    written = oci.write_layer(ENTRIES, tmp_path / "l.tar")
    in_memory = oci.layer(ENTRIES)
    assert (written.digest, written.size) == (in_memory.digest, in_memory.size)
    assert (tmp_path / "l.tar").read_bytes() == in_memory.content
    assert [path.name for path in tmp_path.iterdir()] == ["l.tar"]


def test_parents_come_first_with_mode_0755_and_owner_root() -> None:
    found = members(oci.layer(ENTRIES))
    assert list(found) == ["bin", "opt", "opt/a", "opt/a/data", "opt/a/run", "tmp"]
    assert {name: oct(member.mode) for name, member in found.items()} == {
        "bin": "0o777",
        "opt": "0o755",
        "opt/a": "0o755",
        "opt/a/data": "0o644",
        "opt/a/run": "0o755",
        "tmp": "0o1777",
    }
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in found.values()} == {
        (0, 0, "", "", 0)
    }


def test_long_paths_survive() -> None:
    path = "/".join(["directory"] * 30)
    assert path in members(oci.layer([oci.File(path, b"")]))


def test_a_path_named_twice_is_refused() -> None:
    with pytest.raises(oci.TwoEntries, match="opt/f is in the layer twice"):
        oci.layer([oci.File("opt/f", b""), oci.Link("opt/f", "g")])


def test_digests_are_those_of_the_bytes() -> None:
    image = oci.image("r.io/a:1", [oci.layer(ENTRIES)], {"User": "1"}, "amd64")
    for blob in (image.manifest, *image.blobs):
        assert isinstance(blob.content, bytes)
        assert blob.digest == f"sha256:{hashlib.sha256(blob.content).hexdigest()}"
        assert blob.size == len(blob.content)
    assert image.size == image.manifest.size + sum(blob.size for blob in image.blobs)


def test_manifest_and_configuration_name_the_layers() -> None:
    layer = oci.layer(ENTRIES)
    image = oci.image("r.io/a:1", [layer], {"User": "1"}, "amd64")
    config, _ = image.blobs
    assert json.loads(image.manifest.content) == {  # type: ignore[arg-type]  # bytes, made in memory
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config.digest,
            "size": config.size,
        },
        "layers": [
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": layer.digest,
                "size": layer.size,
            }
        ],
    }
    assert json.loads(config.content) == {  # type: ignore[arg-type]  # bytes, made in memory
        "architecture": "amd64",
        "os": "linux",
        "config": {"User": "1"},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
    }


def test_a_reference_has_three_parts() -> None:
    parts = oci.parse_reference("ghcr.io/plainsail/runtime:0.1.0")
    assert parts == oci.Reference("ghcr.io", "plainsail/runtime", "0.1.0")
    assert str(parts) == "ghcr.io/plainsail/runtime:0.1.0"


@pytest.mark.parametrize("name", ["pause:3", "local/pause:3", "ghcr.io/pause", "ghcr.io/:1", ""])
def test_a_reference_without_registry_repository_or_tag_is_refused(name: str) -> None:
    with pytest.raises(oci.MalformedReference, match="is not registry/repository:tag"):
        oci.parse_reference(name)


def test_a_tree_keeps_executables_follows_links_and_skips_names(tmp_path: Path) -> None:
    (tmp_path / "d/__pycache__").mkdir(parents=True)
    (tmp_path / "d/__pycache__/x.pyc").touch()
    (tmp_path / "d/run").touch(0o755)
    (tmp_path / "link").symlink_to("d/run")
    (tmp_path / "dangling").symlink_to("nowhere")
    found = oci.tree(tmp_path, "opt", skip=frozenset({"__pycache__"}))
    assert [(file.path, oct(file.mode)) for file in found] == [
        ("opt/d/run", "0o755"),
        ("opt/link", "0o755"),
    ]


def test_a_saved_layer_is_found_again_and_a_cut_one_is_not(tmp_path: Path) -> None:
    path, record = tmp_path / "l.tar", tmp_path / "l.json"
    assert oci.load(record, path) is None
    layer = oci.write_layer(ENTRIES, path)
    oci.save(layer, record)
    assert oci.load(record, path) == layer
    path.write_bytes(path.read_bytes()[:-1])
    assert oci.load(record, path) is None
