"""A real Kubernetes cluster on one Linux machine, and GPU machines that it can buy.

Everything is real but the GPU: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
kube-proxy, kubelet, containerd, a registry, network namespaces. Imports none of the five programs:
it starts them.

Main path of `python -m deploy.local up`: `commands.run` -> `cluster.up` (programs, images) ->
`daemon.main` (own process) -> `boot.boot` (order of the start) -> `provider.main` (own process)
-> `machines.create` (one machine) -> `machine_init.main` (its process 1).
"""
