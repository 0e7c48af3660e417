"""The scheduling gate behind which a pod waits until its nodes are there."""

from kubeapi import api


def lift(cluster: api.Api, namespace: str, name: str, uid: str) -> bool:
    """Hand a pod to its scheduler by taking every gate away; False: that pod is gone.

    Raises:
        api.ApiError: the API server did not do it.
    """
    body = {"metadata": {"uid": uid}, "spec": {"schedulingGates": None}}
    try:
        cluster.patch(f"/api/v1/namespaces/{namespace}/pods/{name}", body)
    except (api.NotFound, api.Conflict):
        return False  # or another one has its name: the watch will show it
    return True
