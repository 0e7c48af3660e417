"""The Kubernetes API as our control-plane programs use it: calls, typed errors, live lists.

May not import any program; `kubernetes` only in `client`. Programs see the Protocol `api.Api` and
raw dicts, so that unknown fields survive and tests need no client library (docs/decisions/0004).

Main path:
    process.py:run        a program from its start to SIGTERM
    client.py:connect     a client from a kubeconfig or from the pod's ServiceAccount
    mirror.py:Mirror      a list kept fresh by watching it
    passes.py:Passes      when a program looks at its mirrors
    gates.py:lift         the scheduling gate of a pod lifted
    events.py:Recorder    what was done and why, said once on the object
    host.py:Host          time, waiting and threads: the machine's, or those of a simulation
    pace.py               pauses after failures, the window that gathers a burst of changes
"""
