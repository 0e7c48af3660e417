"""The scheduler extender: explains and guards placement beside our own kube-scheduler.

May not import any other program; the API server is reached through `kubeapi` alone, and never
while a request is answered. Whether a node is bought depends on nothing that happens here: the
planner sees the pods that stay unschedulable, whoever refused them.

Main path:
    app.py:App                     POST /filter, /prioritize, /preempt of kube-scheduler
    wire.py:read, answers.py       a request, and the answer as a function of it and a snapshot
    fit.py:fits, score.py:score    may this pod use this node; which node suits it best
    cluster.py:Watcher.run_pass    a new snapshot after every change; pods touched that may go on
    marks.py:Marks.write           nodes of ours marked, so that kube-scheduler sees their GPUs come
    probe.py:main                  how the extender beside it is, as the kubelet asks
    snapshot.py:take               views of pods, nodes and claims joined into an immutable value
"""
