"""Namespaces of a real control plane whose labelled workloads go through a webhook of the test's.

`Webhook` is our program as a process that can be stopped and started again at one port; `Foreign`
is another mutating webhook, made of one function; `registered` tells the API server of either.
"""

import base64
import contextlib
import copy
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
from typing_extensions import override

from deploy.local import api as apis
from deploy.local import manifests
from tests import programs
from tests.apiserver import until
from tests.webhook import serving

Object = dict[str, Any]

MANIFESTS = Path(__file__).parents[2] / "deploy" / "manifests"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"

FIVE_LINES = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
  labels: {kaito.sh/preset: tiny-chat}
"""
IDLE = f"{FIVE_LINES}spec: {{replicas: 0}}\n"
"""Without replicas, so that no pod waits for a node."""

COLLECTIONS = {
    "deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "statefulset": "/apis/apps/v1/namespaces/{}/statefulsets",
    "job": "/apis/batch/v1/namespaces/{}/jobs",
    "pod": "/api/v1/namespaces/{}/pods",
}
KINDS = {"Deployment": "deployment", "StatefulSet": "statefulset", "Job": "job"}


def of_kind(kind: str, manifest: str) -> str:
    """The manifest of a Deployment as one of another kind."""
    out = manifest.replace("kind: Deployment", f"kind: {kind}")
    if kind == "Job":
        out = out.replace("apps/v1", "batch/v1").replace("replicas: 0", "suspend: true")
    return out


def workload(kind: str = "Deployment", name: str = "chat", *, image: str = "") -> Object:
    """A labelled workload; with an image of its own, a whole one that needs no webhook."""
    version = "batch/v1" if kind == "Job" else "apps/v1"
    out: Object = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": {"kaito.sh/preset": "tiny-chat"}},
        "spec": {"suspend": True} if kind == "Job" else {"replicas": 0},
    }
    if image:
        pod: Object = {"containers": [{"name": "own", "image": image}]}
        if kind == "Job":
            pod["restartPolicy"] = "Never"
        else:
            out["spec"]["selector"] = {"matchLabels": {"app": name}}
        out["spec"]["template"] = {"metadata": {"labels": {"app": name}}, "spec": pod}
    return out


def unlabelled(kind: str = "Deployment", name: str = "plain") -> Object:
    """A whole workload that does not opt in."""
    out = workload(kind, name, image="own:1")
    del out["metadata"]["labels"]
    return out


def template(found: Object) -> Object:
    """The pod template of a workload."""
    held: Object = found["spec"]["template"]
    return held


class Webhook:
    """`python -m webhook serve` on the loopback address."""

    def __init__(self, directory: Path, environment: dict[str, str] | None = None) -> None:
        """`environment`: all that the process is given; None: this one's."""
        self.pems = serving.pems(directory)
        self._environment = environment
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.address = f"https://127.0.0.1:{self.port}"
        self.log = directory / "webhook.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def client(self) -> Object:
        """The `clientConfig` of a configuration that calls it."""
        return client_config(f"{self.address}/mutate", self.pems)

    def start(self, *flags: str) -> None:
        """Start it, and wait until its port is open."""
        # Into a file: a pipe that nobody reads would hold the process up when it is full.
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "webhook", "serve", "--host=127.0.0.1"]
            flags = (f"--port={self.port}", *self.pems.flags, *flags)
            self.process = subprocess.Popen([*command, *flags], stderr=log, env=self._environment)
        until(lambda: "event=serving" in self.log.read_text() or self._ended(), 30.0)
        assert not self._ended(), self.log.read_text()

    def stop(self) -> None:
        """End it at once, as a crash does; nothing listens at its port then."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    @contextlib.contextmanager
    def restarted(self, *flags: str) -> Iterator[None]:
        """Another version of it within the block: started with `flags`."""
        self.stop()
        self.start(*flags)
        try:
            yield
        finally:
            self.stop()
            self.start()

    def calls(self) -> int:
        """How often it was asked, by its own metrics."""
        trust = ssl.create_default_context(cafile=str(self.pems.certificate))
        text = httpx.get(f"{self.address}/metrics", verify=trust, trust_env=False).text
        counts = re.findall(r"^plainsail_webhook_requests_total\{.*\} (\d+)", text, re.MULTILINE)
        return sum(map(int, counts))

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


Answer = Callable[[Object], list[Object]]
"""From the `request` of a review to the operations of the patch."""


class Foreign:
    """A mutating webhook that is not ours: HTTPS, one function, every request counted."""

    def __init__(self, directory: Path, answer: Answer) -> None:
        self.pems = serving.pems(directory)
        self.calls = 0
        self.delay_seconds = 0.0
        self._ended = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Nothing: a test's output is its own."""

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.calls += 1
                outer._ended.wait(outer.delay_seconds)
                body = _reviewed(asked["request"], answer)
                # A client that gave up waiting has closed the connection.
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pems.certificate, self.pems.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def client(self) -> Object:
        return client_config(f"https://127.0.0.1:{self._server.server_port}/", self.pems)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _reviewed(request: Object, answer: Answer) -> bytes:
    response: Object = {"uid": request["uid"], "allowed": True}
    if operations := answer(request):
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(operations).encode()).decode()
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
    return json.dumps(review).encode()


def client_config(url: str, pems: serving.Pems) -> Object:
    """Where a webhook is, and the certificate that it shows."""
    bundle = base64.b64encode(pems.certificate.read_bytes()).decode()
    return {"url": url, "caBundle": bundle}


def configuration(name: str, namespaces: Sequence[str], client: Object, **changes: Any) -> Object:
    """The shipped configuration, with its own exclusions, asked about `namespaces` alone."""
    (shipped,) = (
        document
        for document in manifests.documents("webhook")
        if document["kind"] == "MutatingWebhookConfiguration"
    )
    out = copy.deepcopy(shipped)
    out["metadata"]["name"] = name
    only = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
    for hook in out["webhooks"]:
        hook["clientConfig"] = dict(client)
        hook["namespaceSelector"]["matchExpressions"].append(only)
        hook.update(changes)
    return out


@contextlib.contextmanager
def registered(api: apis.Api, made: Object) -> Iterator[Object]:
    """The configuration in force, about; gone with the block."""
    path = f"{CONFIGURATIONS}/{made['metadata']['name']}"
    api.apply(path, made)
    try:
        yield made
    finally:
        api.delete(path)


class Cluster:
    """One namespace, by kubectl and by plain requests."""

    def __init__(
        self, api: apis.Api, kubectl: Path, kubeconfig: Path, webhook: Webhook, namespace: str = ""
    ) -> None:
        self.api = api
        self.webhook = webhook
        self.namespace = namespace or programs.namespace(api)
        self._programs = (kubectl, kubeconfig)
        self._command = [
            *(str(kubectl), f"--kubeconfig={kubeconfig}", f"--namespace={self.namespace}")
        ]

    def elsewhere(self, namespace: str = "") -> "Cluster":
        """Another namespace of the same control plane: the one named, or a fresh one."""
        return Cluster(self.api, *self._programs, self.webhook, namespace)

    def run(self, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """What kubectl did and said."""
        return subprocess.run(
            [*self._command, *argv], input=stdin, capture_output=True, text=True, check=False
        )

    def kubectl(self, *argv: str, stdin: str = "", ok: tuple[int, ...] = (0,)) -> str:
        """Standard output; with a failure that is expected, standard error too."""
        done = self.run(*argv, stdin=stdin)
        assert done.returncode in ok, done.stderr
        return done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def apply(self, manifest: str | Object, *flags: str, ok: tuple[int, ...] = (0,)) -> str:
        """`kubectl apply`, client-side unless `flags` say otherwise."""
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        return self.kubectl("apply", *flags, "-f", "-", stdin=text, ok=ok)

    def get(self, what: str) -> Object:
        """An object by `kind/name`."""
        return self.api.get(self.path(what))

    def settled(self, what: str) -> Object:
        """A Deployment or StatefulSet that its controller has nothing more to say about."""

        def seen() -> Object | None:
            found = self.get(what)
            observed = found["status"].get("observedGeneration")
            return found if observed == found["metadata"]["generation"] else None

        found: Object = until(seen, 20.0)
        return found

    def path(self, what: str) -> str:
        """The path of `kind/name`, or of all of a `kind`."""
        kind, _, name = what.partition("/")
        return f"{COLLECTIONS[kind].format(self.namespace)}/{name}".rstrip("/")

    def create(self, body: Object, query: str = "") -> Object:
        """Create by a plain request, without what kubectl adds."""
        return self.api.create(self.path(body["kind"].lower()) + query, body)

    def try_out(self, body: Object) -> Object:
        """What would be stored."""
        return self.create(body, "?dryRun=All")

    def clean(self) -> None:
        """Delete every workload, and wait until they are gone."""
        for kind in ("deployment", "statefulset", "job"):
            self.api.delete(f"{self.path(kind)}?propagationPolicy=Background")
        kinds = [self.path(kind) for kind in ("deployment", "statefulset", "job")]
        until(lambda: not any(self.api.get(path)["items"] for path in kinds), 20.0)

    def remove(self) -> None:
        """Delete the namespace."""
        self.api.delete(f"/api/v1/namespaces/{self.namespace}")

    def until_asked(self) -> None:
        """The API server learns of a new configuration within a second or so."""
        until(lambda: not self.refusal(workload()), 20.0)

    def until_refused(self, body: Object, why: str) -> str:
        """Until a creation fails for `why`: the whole message."""
        until(lambda: why in self.refusal(body), 20.0)
        return self.refusal(body)

    def refusal(self, body: Object) -> str:
        """Why an object would not be stored; empty where it would."""
        try:
            self.try_out(body)
        except apis.Refused as refused:
            return str(refused)
        return ""


def seconds(action: Callable[[], object]) -> float:
    """Wall time of `action`, in seconds."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
