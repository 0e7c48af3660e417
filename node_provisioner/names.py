"""Names that follow from what they name, so that doing a thing twice does it once."""

import hashlib

from node_provisioner import views
from presets import provision_spec


def claim(
    workload: views.Workload, spec: provision_spec.ProvisionSpec, slot: int, attempt: int
) -> str:
    """`ws` and 9 hexadecimal digits: 11 characters, which every provider takes.

    The same purchase has the same name in every process, after every restart.
    """
    purchase = [workload.namespace, workload.label, spec.to_json(), str(slot), str(attempt)]
    digest = hashlib.sha256("\0".join(purchase).encode()).hexdigest()
    return f"ws{digest[:9]}"
