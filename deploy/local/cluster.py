"""Clusters by name: bring one up, adopt what runs, take one down."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local import (
    api,
    binaries,
    cached,
    leftovers,
    network,
    paths,
    processes,
    requirements,
    settings,
)
from deploy.local.failures import CannotRun
from deploy.local.images import registry, runtime_image, torch_stack
from deploy.local.progress import Progress
from presets import images

BOOT_SECONDS = 120
LOG_LINES = 12


@dataclass(frozen=True)
class Options:
    """What the user may say about a new cluster."""

    name: str
    binaries: Path | None = None
    """Directory with the Kubernetes programs, instead of the built ones."""
    idle_ttl_seconds: int = 600
    no_spot: tuple[str, ...] = ()
    """Instance types of which the machine provider has no spot machine, as in a shortage."""


def up(options: Options, progress: Progress) -> settings.Settings:
    """A running cluster `options.name`: the one that runs, or a new one in place of what was left.

    Raises:
        CannotRun: the host lacks something, or a part did not start; nothing is left behind.
        KeyboardInterrupt: the user gave up; nothing is left behind.
    """
    files = paths.cluster(options.name)
    locks = paths.cache() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with cached.locked(locks / f"cluster-{options.name}"):
        running = adopt(options.name)
        if running is not None:
            return running
        with progress.step("this machine"):
            requirements.check(progress.report)
        if leftovers.found(options.name):
            with progress.step(f"clearing what an earlier run of {options.name} left"):
                leftovers.clear(options.name)
        prepared = _prepare(options, progress)
        try:
            with cached.locked(locks / "addresses"):
                # Held until the route is there: the next cluster must see it as taken.
                loaded = _write_settings(files, prepared)
                daemon = _start_daemon(loaded)
                _follow(daemon, loaded, progress)
        except BaseException:  # for a keyboard interrupt, too: half a cluster helps nobody
            leftovers.clear(options.name)
            raise
        return loaded


def adopt(name: str) -> settings.Settings | None:
    """The settings of cluster `name` when it runs and answers, else nothing."""
    files = paths.cluster(name)
    if not leftovers.daemon_pid(files):
        return None
    deadline = time.monotonic() + BOOT_SECONDS
    while leftovers.daemon_pid(files) and time.monotonic() < deadline:
        kinds = [event["kind"] for event in _events(files)]
        if "failed" in kinds:
            return None
        if "ready" in kinds and answers(files):
            return settings.load(files.settings)
        time.sleep(0.1)
    return None


def answers(files: paths.ClusterPaths) -> bool:
    """Whether the API server of a cluster says that it is ready."""
    with api.Api(files.kubeconfig) as client:
        return client.ready()


def down(name: str) -> list[str]:
    """Removes cluster `name`; returns what there was of it, in words."""
    if os.geteuid() != 0:
        raise CannotRun("removing a local cluster needs root", "run it with sudo, or as root")
    found = leftovers.found(name)
    leftovers.clear(name)
    processes.reap_detached()
    (paths.cache() / "locks" / f"cluster-{name}").unlink(missing_ok=True)
    return found


def _prepare(options: Options, progress: Progress) -> settings.Settings:
    """Everything that outlives a cluster: programs, images, libraries. Quick when it is there."""
    with progress.step("Kubernetes programs"):
        programs = binaries.binaries(progress.report, options.binaries)
    with progress.step("registry program"):
        executable = registry.executable(paths.cache(), progress.report)
    with progress.step("PyTorch and its libraries for the machines"):
        stack = torch_stack.prepare(paths.REPOSITORY, paths.cache(), progress.report)
        hub = torch_stack.hub_cache(torch_stack.stand_ins(paths.REPOSITORY), paths.cache())
    with progress.step("image of the model server"):
        runtime_image.build(images.RUNTIME_IMAGE, paths.REPOSITORY, paths.cache(), progress.report)
    return settings.Settings(
        name=options.name,
        octet=0,
        binaries=programs,
        registry=executable,
        registry_storage=paths.cache() / "registry",
        torch_stack=stack,
        hub_cache=hub,
        idle_ttl_seconds=options.idle_ttl_seconds,
        no_spot=options.no_spot,
    )


def _write_settings(files: paths.ClusterPaths, prepared: settings.Settings) -> settings.Settings:
    for directory in (files.logs, files.etc, files.machines):
        directory.mkdir(parents=True, exist_ok=True)
    files.root.chmod(0o700)
    files.lock.touch()
    files.events.touch()
    fields = {name: getattr(prepared, name) for name in prepared.__dataclass_fields__}
    loaded = settings.Settings(**{**fields, "octet": network.free_octet()})
    settings.save(loaded)
    return loaded


def _start_daemon(loaded: settings.Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "deploy.local.daemon", str(loaded.files.settings)]
    return processes.start_detached(command, loaded.files.logs / "daemon.log")


def _follow(daemon: subprocess.Popen[bytes], loaded: settings.Settings, progress: Progress) -> None:
    """Shows the daemon's steps until the cluster is ready.

    Raises:
        CannotRun: a step failed, or the daemon died.
    """
    with contextlib.ExitStack() as current:
        for event in _live_events(daemon, loaded.files):
            current.close()
            if event["kind"] == "ready":
                return
            if event["kind"] == "failed":
                raise CannotRun(f"{event['text']}\n{_last_words(loaded.files)}", event["hint"])
            current.enter_context(progress.step(event["text"]))
    raise CannotRun(f"the cluster's own process ended\n{_last_words(loaded.files)}")


def _live_events(
    daemon: subprocess.Popen[bytes], files: paths.ClusterPaths
) -> Iterator[dict[str, str]]:
    seen = 0
    while True:
        ended = daemon.poll() is not None
        events = _events(files)
        yield from events[seen:]
        seen = len(events)
        if ended:
            return
        time.sleep(0.02)


def _events(files: paths.ClusterPaths) -> list[dict[str, str]]:
    try:
        lines = files.events.read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def _last_words(files: paths.ClusterPaths) -> str:
    """Ends of the logs, because they are removed with everything else."""
    words = []
    for log in sorted(files.logs.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        words += [f"--- {log.name}", *lines] if lines else []
    return "\n".join(words)
