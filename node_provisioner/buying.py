"""What a plan asks for, done: claims created, gates lifted."""

from kubeapi import api, gates, host
from node_provisioner import lifecycle, metrics, nodeclaims, plan, rate, views
from telemetry import logs

_CREATES = 1000
_CREATES_PER_SECOND = 50
"""Claims created at once and in the long run: a brake on whatever other limits miss."""
_SIDE_BY_SIDE = 8
"""Calls at the same time: most of a call is the API server's time, and etcd's."""


class Buyer:
    """Creates claims as fast as it may."""

    def __init__(
        self,
        cluster: api.Api,
        cloud: nodeclaims.NodeClaims,
        past: lifecycle.Lifecycle,
        counted: metrics.Metrics,
        on: host.Host,
    ) -> None:
        self._api = cluster
        self._cloud = cloud
        self._past = past
        self._metrics = counted
        self._host = on
        self._failed = False
        self._bucket = rate.TokenBucket(
            capacity=_CREATES, per_second=_CREATES_PER_SECOND, now=on.monotonic()
        )

    def buy(self, decided: plan.Plan, now: float) -> tuple[str, ...]:
        """Create the plan's claims, some side by side; names of those that could be.

        The first failure ends it after those that are under way.

        Raises:
            api.ApiError: the API server was away, or a name was in between; the next pass goes on.
        """
        self._failed = False
        allowed = [claim for claim in decided.create if self._bucket.take(now)]
        answers = self._host.each(self._ask, allowed, at_once=_SIDE_BY_SIDE)
        bought: list[str] = []
        for claim, answer in zip(allowed, answers, strict=True):
            if isinstance(answer, views.ClaimView):
                self._take(claim, answer, now)
                bought.append(claim.name)
        for claim, answer in zip(allowed, answers, strict=True):
            if isinstance(answer, Exception):
                self._learn(claim, answer, now)
        return tuple(bought)

    def admit(self, decided: plan.Plan) -> None:
        """Lift our gate from the pods whose nodes are there."""
        for pod in decided.admit:
            if gates.lift(self._api, pod.namespace, pod.name, pod.uid):
                logs.info("pod_admitted", pod=f"Pod/{pod.key}")

    def _ask(self, claim: plan.NewClaim) -> views.ClaimView | Exception | None:
        """What came of one purchase; None: it was not tried, as another had failed before."""
        if self._failed:
            return None
        try:
            return self._cloud.create(claim)
        except (nodeclaims.NameTaken, api.ApiError) as error:
            self._failed = True
            return error

    def _take(self, claim: plan.NewClaim, created: views.ClaimView, now: float) -> None:
        self._past.created(created, now)
        self._metrics.count("created")
        logs.info(
            "claim_created",
            claim=claim.name,
            workload=_shown(claim.workload),
            offer=claim.offer,
            attempt=claim.attempt + 1,
        )

    def _learn(self, claim: plan.NewClaim, error: Exception, now: float) -> None:
        """What repeating cannot change is barred, or pauses buying; anything else is raised."""
        if isinstance(error, nodeclaims.NameTaken):
            self._past.avoid_name(claim.name)
            logs.warning("claim_name_taken", claim=claim.name)
        elif isinstance(error, api.Rejected):
            self._past.bar(claim.offer, error.message, now)
            self._fail(claim, error)
        elif isinstance(error, api.Forbidden | api.NotFound):
            self._past.fail(f"NodeClaims cannot be created: {error}", now)
            self._fail(claim, error)
        else:
            raise error

    def _fail(self, claim: plan.NewClaim, error: api.ApiError) -> None:
        self._metrics.count("not_created")
        logs.failure("claim_not_created", claim=claim.name, error=error)


def _shown(workload: views.Workload) -> str:
    return f"{workload.kind}/{workload.namespace}/{workload.name}"
