"""NodeClaims written and deleted: the only way in which this program speaks to a provider."""

from collections.abc import Iterable

from kubeapi import api, objects
from node_provisioner import dialects, plan, refusals, views

PATH = "/apis/karpenter.sh/v1/nodeclaims"

_EVENTS = "/api/v1/namespaces/default/events"
"""Where Events about objects without a namespace are kept."""
_OF_GOING = ("TerminationGracePeriodExpiring", "FailedDraining", "ClaimRefused", "ClaimStuck")
"""Reasons of Warnings about how a claim goes, Karpenter's and ours; they come after why it goes."""


class NameTaken(Exception):
    """The name belongs to a claim that was not bought for this workload."""


class NodeClaims:
    """Writes claims in one dialect."""

    def __init__(self, cluster: api.Api, dialect: str) -> None:
        self._api = cluster
        self._manifest = dialects.DIALECTS[dialect]
        self._class_path = dialects.NODE_CLASSES.get(dialect)

    def create(self, claim: plan.NewClaim) -> views.ClaimView:
        """The claim in the cluster; one of this name that was bought for the workload is adopted.

        Raises:
            NameTaken: the name belongs to something else.
            api.Conflict: it belonged to something that was gone a moment later; try again.
            api.ApiError: the API server did not create it.
        """
        manifest = self._manifest(claim)
        try:
            created = self._api.create(PATH, manifest)
        except api.Conflict:
            created = self._existing(claim)
        view = views.claim(created)
        if view is None or view.workload != claim.workload.key:
            raise NameTaken(claim.name)
        return view

    def has(self, claim: views.ClaimView) -> bool:
        """Whether this very claim is there.

        Raises:
            api.ApiError: the API server did not say.
        """
        try:
            found = self._api.get(f"{PATH}/{claim.key}")
        except api.NotFound:
            return False
        return bool(found["metadata"].get("uid") == claim.uid)

    def delete(self, claim: views.ClaimView) -> None:
        """Delete this very claim; one that is gone or was replaced is left alone.

        Raises:
            api.ApiError: the API server did not delete it.
        """
        try:
            self._api.delete(f"{PATH}/{claim.key}", {"uid": claim.uid})
        except (api.NotFound, api.Conflict):
            return

    def last_words(self, claim: views.ClaimView) -> str | None:
        """Why its provider let a claim go; empty: nothing tells.

        By its last Warning, or else by the state of the node class: for one that is not ready
        Karpenter 1.14 deletes claims without a word. None: a planner gave it back, whichever.
        """
        try:
            listed = self._api.get(_EVENTS, {"fieldSelector": f"involvedObject.uid={claim.uid}"})
            said = listed.get("items") or ()
            if any(one.get("reason") == "NodeGivenBack" for one in said):
                return None
            return _last_warning(said) or self._class_trouble()
        except api.ApiError:
            return ""  # its end counts without its reason

    def _class_trouble(self) -> str:
        if self._class_path is None:
            return ""
        name = "/".join(self._class_path.split("/")[-2:])
        try:
            found = self._api.get(self._class_path)
        except api.NotFound:
            return f"node class {name} is missing"
        ready = objects.condition(found.get("status", {}), "Ready")
        if ready.get("status") != "False":
            return ""
        why = ": ".join(filter(None, (ready.get("reason"), ready.get("message"))))
        return f"node class {name} is not ready: {why}"

    def _existing(self, claim: plan.NewClaim) -> api.Object:
        try:
            return self._api.get(f"{PATH}/{claim.name}")
        except api.NotFound as error:
            raise api.Conflict(409, "GoneMeanwhile", claim.name) from error


def _last_warning(events: Iterable[api.Object]) -> str:
    found = [one for one in events if one.get("type") == "Warning"]
    warnings = [one for one in found if one.get("reason") not in _OF_GOING]
    warnings.sort(key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime") or ""))
    if not warnings:
        return ""
    reason, message = (str(warnings[-1].get(key, "")) for key in ("reason", "message"))
    if refusals.of(message).kind is not refusals.Kind.UNKNOWN:
        return message
    return ": ".join(filter(None, (reason, message)))
