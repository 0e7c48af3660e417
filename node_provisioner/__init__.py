"""The node planner: buys the GPU node that a pod waits for, once, and gives idle ones back.

May not import any other program; the API server is reached through `kubeapi` alone. Speaks to
clouds by NodeClaims: who fulfils a claim is another program. Restarts at any point: what it knows
it reads from the cluster, and the names of its claims follow from what they are bought for.

Main path:
    loop.py:Planner.run_pass     gather, decide, act, say why
    views.py:pod, node, claim    Kubernetes objects to small values; rules.py: where a pod may run
    demand.py:unmet              pods that have no node yet, by workload
    supply.py:bins               GPUs that are free or on their way
    plan.py:plan                 what to buy, as a value; stock.py hands the supply out
    offerings.py:offers          what a pod may be bought; limits.py: how much
    nodeclaims.py:NodeClaims     the claims written and deleted, in a provider's dialect
    lifecycle.py:Lifecycle       what became of them; refusals.py: why; bars.py: what is left alone
    telling.py:sentences         what the waiting pods are told
    reclaim.py:needless          claims that no pod needs
"""
