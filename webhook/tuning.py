"""The pod of a tuning run: `fetch` before it, `tune`, and `push` beside it.

What the three programs promise each other is told in `presets.runtime_args.tuning`. A pod is never
restarted: one that fails stays to be looked at, the Job makes another, and that goes on from the
checkpoints where the adapter has a claim. What no other pod can mend (exit status 2) ends the Job.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from presets import images, preset, request, runtime_args
from webhook import copies, podspec, weights, workloads
from webhook.placement import Placement

FAILED_PODS = 3
"""Failed pods after which the Job gives up; Kubernetes' own default is 6, each for the price of a
GPU machine."""

DATA_VOLUME = "plainsail-data"
RESULTS_VOLUME = "plainsail-results"
CONFIG_VOLUME = "plainsail-config"
LOGIN_VOLUME = "plainsail-login"
RUN_VOLUME = "plainsail-run"
SCRATCH_VOLUME = "plainsail-scratch"

CONFIG_MOUNT = runtime_args.CONFIG.rpartition("/")[0]
LOCK_MOUNT = runtime_args.LOCK.rpartition("/")[0]

_IN_IMAGE = "data"
"""Directory of the data in an image, as in KAITO."""

_LOGIN_KEY = ".dockerconfigjson"
"""Key of a Secret of type `kubernetes.io/dockerconfigjson`."""


@dataclass(frozen=True)
class Run:
    """A tuning run, and where its weights come from."""

    asked: request.Tuning
    model: preset.Preset
    supply: weights.Supply

    @property
    def fetches(self) -> bool:
        """The data is downloaded or copied before the run."""
        is_copied = bool(self.asked.input_image) and not self.supply.has_image_volumes
        return bool(self.asked.input_urls) or is_copied

    @property
    def pushes(self) -> bool:
        """The adapter becomes an image."""
        return bool(self.asked.output_image)

    @property
    def programs(self) -> set[str]:
        """Verbs that the image must answer."""
        pulled = {runtime_args.FETCH} if self.asked.input_urls else set()
        return pulled | {runtime_args.TUNE} | ({runtime_args.PUSH} if self.pushes else set())


def job_layout(run: Run, container: str, pod: Mapping[str, Any]) -> dict[str, Any]:
    """What the Job is to do about failed pods; `container`: the name of that of `tune`.

    A policy takes pods that are never restarted. Evictions do not count as failures, and the exit
    status of a container of the user's own means what the user says.
    """
    if pod.get("restartPolicy") not in (None, "", "Always", "Never"):
        return {"backoffLimit": FAILED_PODS}
    ours = [container if name == runtime_args.TUNE else name for name in sorted(run.programs)]
    evicted = {"type": "DisruptionTarget", "status": "True"}
    rules: list[dict[str, Any]] = [{"action": "Ignore", "onPodConditions": [evicted]}]
    for name in ours:
        wrong = {"containerName": name, "operator": "In", "values": [2]}
        rules.append({"action": "FailJob", "onExitCodes": wrong})
    return {
        "backoffLimit": FAILED_PODS,
        "podFailurePolicy": {"rules": rules},
        "podReplacementPolicy": "Failed",  # the one that goes with a failure policy
    }


def pod_layout(
    run: Run, placed: Placement, chosen: podspec.Chosen, pod: Mapping[str, Any]
) -> dict[str, Any]:
    """The pod's own part: containers, volumes, and who may write to the results."""
    pod_wide = workloads.part(pod, "securityContext")
    security = podspec.security({}, pod_wide)
    before = weights.copier(run.supply, security)
    if run.fetches:
        before.append(_fetch(run, security))
    layout: dict[str, Any] = {
        "containers": [_tune(run, placed, chosen, pod_wide)],
        "initContainers": before,
        "volumes": [*podspec.volumes(chosen, run.supply), *_volumes(run)],
        "restartPolicy": "Never",
    }
    if run.pushes:
        layout["containers"].append(_push(run, security))
    if run.asked.output_pvc:
        # A fresh volume belongs to root; the program is nobody.
        layout["securityContext"] = {
            "fsGroup": podspec.USER,
            "fsGroupChangePolicy": "OnRootMismatch",
        }
    return layout


def tune_args(run: Run, placed: Placement) -> runtime_args.TuneArgs:
    """What `tune` is told."""
    directory = weights.directory(run.supply)
    return runtime_args.TuneArgs(
        method=run.asked.method,
        model=directory or run.model.weights.source,
        revision="" if directory else run.model.weights.revision,
        dtype=placed.dtype,
        data=_data(run),
        output=_results(run),
        config=runtime_args.CONFIG if run.asked.config else "",
    )


def mounts(run: Run) -> list[dict[str, Any]]:
    """What the container of `tune` mounts besides what every container of a model does."""
    found = [
        _mount(DATA_VOLUME, runtime_args.DATA, read_only=True),
        _mount(RESULTS_VOLUME, runtime_args.RESULTS),
    ]
    if run.asked.config:
        found.append(_mount(CONFIG_VOLUME, CONFIG_MOUNT, read_only=True))
    if run.pushes:
        found.append(_mount(RUN_VOLUME, LOCK_MOUNT))
    return found


def _data(run: Run) -> str:
    asked = run.asked
    if asked.input_pvc:
        return _below(runtime_args.DATA, asked.input_pvc.path)
    is_mounted_whole = asked.input_image and run.supply.has_image_volumes
    return _below(runtime_args.DATA, _IN_IMAGE if is_mounted_whole else "")


def _results(run: Run) -> str:
    kept = run.asked.output_pvc
    return _below(runtime_args.RESULTS, kept.path if kept else "")


def _below(directory: str, path: str) -> str:
    return f"{directory}/{path}" if path else directory


def _tune(
    run: Run, placed: Placement, chosen: podspec.Chosen, pod_wide: Mapping[str, Any]
) -> dict[str, Any]:
    shared = [_mount(name, path) for name, path, _ in podspec.missing_mounts(chosen)]
    return {
        **_program(chosen.name, tune_args(run, placed)),
        "env": podspec.environment(run.model, run.supply),
        "resources": placed.resources,
        "securityContext": podspec.security(chosen.found, pod_wide),
        "volumeMounts": [*shared, *weights.mounts(run.supply), *mounts(run)],
    }


def _fetch(run: Run, security: Mapping[str, Any]) -> dict[str, Any]:
    target = _mount(DATA_VOLUME, runtime_args.DATA)
    if not run.asked.input_urls:
        image = run.asked.input_image
        return copies.copier(runtime_args.FETCH, image, _IN_IMAGE, target, security)
    return {
        **_program(runtime_args.FETCH, runtime_args.FetchArgs(run.asked.input_urls)),
        "securityContext": dict(security),
        "volumeMounts": [_SCRATCH, target],
    }


def _push(run: Run, security: Mapping[str, Any]) -> dict[str, Any]:
    told = runtime_args.PushArgs(run.asked.output_image, run.model.name, _results(run))
    return {
        **_program(runtime_args.PUSH, told),
        "securityContext": dict(security),
        "volumeMounts": [
            _SCRATCH,
            _mount(RESULTS_VOLUME, runtime_args.RESULTS, read_only=True),
            _mount(LOGIN_VOLUME, runtime_args.LOGIN.rpartition("/")[0], read_only=True),
            _mount(RUN_VOLUME, LOCK_MOUNT),
        ],
    }


def _program(
    name: str,
    args: runtime_args.FetchArgs | runtime_args.TuneArgs | runtime_args.PushArgs,
) -> dict[str, Any]:
    return {
        "name": name,
        "image": images.RUNTIME_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": list(podspec.COMMAND),
        "args": copies.literal(args.to_argv()),
    }


def _volumes(run: Run) -> Iterator[dict[str, Any]]:
    asked = run.asked
    if asked.input_pvc:
        claim = {"claimName": asked.input_pvc.name, "readOnly": True}
        yield {"name": DATA_VOLUME, "persistentVolumeClaim": claim}
    elif asked.input_image and run.supply.has_image_volumes:
        image = {"reference": asked.input_image, "pullPolicy": "IfNotPresent"}
        yield {"name": DATA_VOLUME, "image": image}
    else:
        yield {"name": DATA_VOLUME, "emptyDir": {}}
    if asked.output_pvc:
        claim = {"claimName": asked.output_pvc.name}
        yield {"name": RESULTS_VOLUME, "persistentVolumeClaim": claim}
    else:
        yield {"name": RESULTS_VOLUME, "emptyDir": {}}
    if asked.config:
        yield {"name": CONFIG_VOLUME, "configMap": {"name": asked.config}}
    if asked.input_urls or run.pushes:
        yield {"name": SCRATCH_VOLUME, "emptyDir": {}}
    if run.pushes:
        items = [{"key": _LOGIN_KEY, "path": runtime_args.LOGIN.rpartition("/")[2]}]
        login = {"secretName": asked.output_push_secret, "items": items}
        yield {"name": LOGIN_VOLUME, "secret": login}
        yield {"name": RUN_VOLUME, "emptyDir": {}}


def _mount(name: str, path: str, *, read_only: bool = False) -> dict[str, Any]:
    return {"name": name, "mountPath": path, **({"readOnly": True} if read_only else {})}


_SCRATCH = _mount(SCRATCH_VOLUME, "/tmp")  # noqa: S108 - an emptyDir of the pod
