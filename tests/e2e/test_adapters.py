"""A model served with an adapter from an image in KAITO's layout.

The machines' containerd mounts no images, so that the adapter's own `cp` copies its files. Images
FROM scratch are proven by what the API server stores alone (tests/webhook/test_adapters.py).
"""

import re
import subprocess
from pathlib import Path

import pytest

from deploy.local import demo, paths, settings
from deploy.local.images import elf, oci, registry
from tests.e2e.namespaces import Namespace

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

IMAGE = "ghcr.io/org/tiny-adapter:1"
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: adapted-%s
  labels: {kaito.sh/preset: tiny-chat}
  annotations:
    kaito.sh/adapters: '[{"name": "loud", "image": "%s", "strength": %s}]'
"""
QUESTION = "What does the label kaito.sh/preset do?"


@pytest.fixture(scope="module")
def adapter(loaded: settings.Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An adapter of random numbers for tiny-chat, as an image that has a `cp` besides."""
    import peft  # noqa: PLC0415 - torch: seconds to import
    import torch  # noqa: PLC0415 - as above
    import transformers  # noqa: PLC0415 - as above

    directory = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(paths.REPOSITORY / "models/tiny-chat")
    config = peft.LoraConfig(r=4, target_modules=["q_proj", "down_proj"])
    wrapped = peft.get_peft_model(model, config)
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=1.0)
    wrapped.save_pretrained(directory)
    files = ("adapter_config.json", "adapter_model.safetensors")
    held = [oci.File(f"data/{file}", directory / file) for file in files]
    layer = oci.layer([*held, *program("/bin/cp")])
    made = oci.image(IMAGE, [layer], {"Env": ["PATH=/bin"]}, elf.ARCHITECTURES[elf.machine()])
    registry.push(made, f"http://{loaded.network.node_ip}:{settings.REGISTRY_PORT}")


def program(path: str) -> list[oci.File]:
    """A program of this machine with the libraries that it loads, at their paths."""
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    loaded = re.findall(r"(/\S+) \(0x", listed)
    return [oci.File(one.lstrip("/"), Path(one).resolve(), 0o755) for one in (path, *loaded)]


@pytest.mark.usefixtures("adapter")
def test_the_model_answers_with_its_adapter(namespace: Namespace, tmp_path: Path) -> None:
    """Without effect at strength 0, with it at 1: the same image, the same question."""
    answers = []
    for strength in (0, 1):
        manifest = tmp_path / f"{strength}.yaml"
        manifest.write_text(MANIFEST % (strength, IMAGE, strength))
        namespace.apply(manifest)
        name = f"adapted-{strength}"
        answers.append(demo.ask(namespace.url(name), QUESTION))
        logged = demo.kubectl(
            *(namespace.loaded, "logs", "-n", namespace.name, f"deployment/{name}")
        )
        assert f"event=adapter_loaded adapter=loud rank=4 strength={strength}" in logged
    plain, adapted = answers
    assert "preset" in plain
    assert adapted != plain
    (pod, *_) = namespace.all("pods")
    (copier,) = pod["spec"]["initContainers"]
    assert copier["image"] == IMAGE
