"""Who places our pods: the contract between webhook, scheduler configuration and extender."""

SCHEDULER = "plainsail-scheduler"
"""Name of our own second kube-scheduler, as pods name it."""

DEFAULT_SCHEDULER = "default-scheduler"
"""What the API server writes where a pod names no scheduler: as good as absent."""

MARKER = "kaito.sh/placement"
"""Resource that our scheduler ignores: it asks the extender about pods with it.

No machine that can be bought has it; the extender writes it into nodes that the planner bought.
Under any other scheduler a pod with it waits for ever or goes there unguarded, so that it stands
with the name of ours or not at all. Never in a NodeClaim: its node would be waited for, for ever.
"""
