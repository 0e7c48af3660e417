"""The workload controller: gives every labelled workload its Service, and takes it back.

May not import any other program; the API server is reached through `kubeapi` alone. Restarts at
any point: each pass compares what is wanted with what is there. A user's own Service always wins.

Main path:
    loop.py:Controller.run_pass   gather, decide, act, say why
    views.py:workload, service    Kubernetes objects to small values
    services.py:plan              Services to make, mend and delete, as a value
    services.py:manifest          the Service of a workload
"""
