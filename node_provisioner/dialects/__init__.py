"""NodeClaims as each provider wants them: one builder per dialect, all pure."""

from collections.abc import Callable

from kubeapi import api
from node_provisioner import plan
from node_provisioner.dialects import gpu_provisioner, karpenter, kwok, local

Builder = Callable[[plan.NewClaim], api.Object]

DIALECTS: dict[str, Builder] = {
    "gpu-provisioner": gpu_provisioner.manifest,
    "karpenter-aws": karpenter.aws,
    "karpenter-azure": karpenter.azure,
    "kwok": kwok.manifest,
    "local": local.manifest,
}
"""Builders by the name that `--dialect` takes; `presets.providers` has what each does not do."""
