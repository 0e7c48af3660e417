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

NODE_CLASSES = {
    "karpenter-aws": "/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default",
    "karpenter-azure": "/apis/karpenter.azure.com/v1beta1/aksnodeclasses/default",
    "kwok": "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses/default",
}
"""By dialect, the object in the cluster that its claims name as their class; not all have one."""
