"""What a plan asks for, done: claims created, gates lifted."""

from kubeapi import api
from node_provisioner import lifecycle, metrics, nodeclaims, plan, rate, views
from telemetry import logs

_CREATES = 1000
_CREATES_PER_SECOND = 50
"""Claims created at once and in the long run: a brake on whatever other limits miss."""


class Buyer:
    """Creates claims as fast as it may."""

    def __init__(
        self,
        cluster: api.Api,
        cloud: nodeclaims.NodeClaims,
        past: lifecycle.Lifecycle,
        counted: metrics.Metrics,
        now: float,
    ) -> None:
        self._api = cluster
        self._cloud = cloud
        self._past = past
        self._metrics = counted
        self._bucket = rate.TokenBucket(capacity=_CREATES, per_second=_CREATES_PER_SECOND, now=now)

    def buy(self, decided: plan.Plan, now: float) -> tuple[str, ...]:
        """Create the plan's claims; names of those that could be, in order, up to a failure."""
        bought: list[str] = []
        for claim in decided.create:
            if not (self._bucket.take(now) and self._create(claim, now)):
                break
            bought.append(claim.name)
        return tuple(bought)

    def admit(self, decided: plan.Plan) -> None:
        """Lift our gate from the pods whose nodes are there."""
        for pod in decided.admit:
            path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
            body = {"metadata": {"uid": pod.uid}, "spec": {"schedulingGates": None}}
            try:
                self._api.patch(path, body)
            except (api.NotFound, api.Conflict):
                continue  # gone, or another one of its name: the watch will show it
            logs.info("pod_admitted", pod=f"Pod/{pod.key}")

    def _create(self, claim: plan.NewClaim, now: float) -> bool:
        """Whether the claim is there now.

        What repeating cannot change stops it: the reaction is a bar or a pause, in the next plan.
        """
        try:
            self._past.created(self._cloud.create(claim), now)
        except nodeclaims.NameTaken:
            self._past.avoid_name(claim.name)
            logs.warning("claim_name_taken", claim=claim.name)
        except api.Rejected as error:
            self._past.bar(claim.offer, error.message, now)
            self._fail(claim, error)
        except (api.Forbidden, api.NotFound) as error:
            self._past.fail(f"NodeClaims cannot be created: {error}", now)
            self._fail(claim, error)
        else:
            self._metrics.count("created")
            logs.info(
                "claim_created",
                claim=claim.name,
                workload=_shown(claim.workload),
                offer=claim.offer,
                attempt=claim.attempt + 1,
            )
            return True
        return False

    def _fail(self, claim: plan.NewClaim, error: api.ApiError) -> None:
        self._metrics.count("not_created")
        logs.failure("claim_not_created", claim=claim.name, error=error)


def _shown(workload: views.Workload) -> str:
    return f"{workload.kind}/{workload.namespace}/{workload.name}"
