"""The whole way by a real OpenBao: set up by us, logged in to by the emitted agent, files where pods read them."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import pathlib
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from groundplan.kubernetes import lower
from groundplan.live.vault import bootstrap, client, keys, run, steps
from groundplan.model import environment, platform
from tests import authorities
from tests.kubernetes import keeping, worlds
from tests.live import certificates, openbaos
from tests.live.test_bootstrap import CHOICES, brought, wants

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
AWKWARD = "'single' \"double\"\n$HOME {{ .Data }} }} {{\npäß \U0001f600\n" + "x" * 65536


def token(namespace: str, name: str) -> str:
    """As a kubelet projects it; who it is, the API server says."""
    about = {"namespace": namespace, "serviceaccount": {"name": name, "uid": f"uid-of-{name}"}}
    claims = {"iss": "cluster", "sub": f"system:serviceaccount:{namespace}:{name}", "aud": ["vault"]}
    now = int(time.time()) - 10
    times = {"iat": now, "nbf": now, "exp": now + 3600}
    return jwt.encode({**claims, **times, "kubernetes.io": about}, KEY, algorithm="RS256")


@contextlib.contextmanager
def reviewer(folder: pathlib.Path) -> Iterator[str]:
    """An API server that reviews tokens, and does nothing else.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
    """
    for name, content in zip(("cert", "key"), certificates.self_signed(), strict=True):
        (folder / name).write_bytes(content)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            spec = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["spec"]
            said = jwt.decode(spec["token"], KEY.public_key(), algorithms=["RS256"], audience=spec["audiences"])
            about = said["kubernetes.io"]["serviceaccount"]
            user = {"username": said["sub"], "uid": about["uid"], "groups": ["system:serviceaccounts"]}
            status = {"authenticated": True, "user": user, "audiences": spec["audiences"]}
            body = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status})
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclasses.dataclass
class Place:
    """A Vault that is set up for production, and where pods would run."""

    address: str
    authority: pathlib.Path
    folder: pathlib.Path
    production: lower.Lowered
    texts: dict[str, str]

    def agent(self, config: str, account: tuple[str, str]) -> subprocess.CompletedProcess[str]:
        """Runs the agent with an emitted configuration, its places moved below our folder."""
        (self.folder / "token").write_text(token(*account))
        for before, after in (
            ("https://vault.vault:8200", self.address),
            ("/authority/ca.crt", str(self.authority)),
            ("/var/run/secrets/store/token", f"{self.folder}/token"),
            ('"/templates/', f'"{self.folder}/templates/'),
            ('destination = "', f'destination = "{self.folder}/pod'),
        ):
            assert before in config
            config = config.replace(before, after)
        shutil.rmtree(self.folder / "pod", ignore_errors=True)
        file = self.folder / "agent.hcl"
        file.write_text(config)
        command = [openbaos.binary(), "agent", f"-config={file}", "-exit-after-auth"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("bao")
    plan = worlds.payments()
    env = next(each for each in plan.environments if each.name == "production")
    authority = authorities.Authority(folder / "authority")
    certificate = authority.issue(certificate_of(plan, env), folder / "certificate")
    with openbaos.served(folder, certificate) as address, reviewer(folder) as api_server:
        config = {**CHOICES.kubernetes, "kubernetes_host": api_server, "token_reviewer_jwt": "a reviewer's"}
        choices = dataclasses.replace(CHOICES, kubernetes=config, keep_root_token=True)
        file, supplies = keys.File(folder / "keys.json"), {**brought(), "app/smtp": AWKWARD}
        hands = run.Hands(client.Client(address, str(authority.file)), file, supplies, None, lambda text: None)
        hands.carry_out(bootstrap.bootstrap(wants(), file.read(), choices))
        made = lower.lower(plan, env)
        yield Place(address, authority.file, folder, made, texts(hands, file, made))


def certificate_of(plan: platform.Platform, env: environment.Environment) -> dict:
    """What the emitted Certificate of the Vault asks for."""
    made = lower.lower(plan, env).objects
    return next(each.tree["spec"] for each in made if (each.key.kind, each.key.name) == ("Certificate", "vault-tls"))


def texts(hands: run.Hands, file: keys.File, made: lower.Lowered) -> dict[str, str]:
    """What the store holds, by path."""
    root = file.read().root_token
    paths = {path for holder in made.holders for path in holder.paths}
    asked = {path: hands.vault.ask(steps.Request("GET", f"secret/data/{path}", token=root)) for path in paths}
    return {path: answer.data["data"]["value"] for path, answer in asked.items()}


def files_of(place: Place, name: str) -> dict[str, str]:
    """The ConfigMap of a workload, its templates laid out where its agent looks for them."""
    data = next(
        made.tree["data"] for made in place.production.objects
        if (made.key.kind, made.key.name) == ("ConfigMap", f"{name}-files")
    )  # fmt: skip
    (place.folder / "templates").mkdir(exist_ok=True)
    for key, content in data.items():
        (place.folder / "templates" / key).write_text(content)
    return data


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("services", "auth-service"),
        ("databases", "redis"),
        ("databases", "postgres-bootstrap"),
        ("monitoring", "prometheus-alertmanager"),
    ],
)
def test_the_emitted_agent_logs_in_and_writes_what_we_expect_of_its_templates(place, namespace, name):
    done = place.agent(files_of(place, name)["agent.hcl"], (namespace, name))
    assert done.returncode == 0, done.stdout + done.stderr
    expected = keeping.arrived(place.production, name, place.texts.__getitem__)
    assert expected
    for path, content in expected.items():
        assert (place.folder / "pod" / path.strip("/")).read_text() == content, path


@pytest.mark.parametrize(("name", "status"), [("merchant-service", 403), ("auth-service", 200)])
def test_a_role_is_its_own_accounts_alone(place, name, status):
    body = {"role": "auth-service", "jwt": token("services", name)}
    request = steps.Request("POST", "auth/kubernetes/login", body)
    assert client.Client(place.address, str(place.authority)).ask(request).status == status


def test_templates_for_controllers_are_what_go_reads_in_them(place):
    """Those of External Secrets and Sealed Secrets, filled in by the engine that their controllers use: Go's own."""
    plan = worlds.payments()
    env = next(each for each in plan.environments if each.name == "production")
    one = keeping.lowered("external", plan, env, place.texts.__getitem__)
    (spec,) = [
        m.tree["spec"] for m in one.objects if (m.key.kind, m.key.name) == ("ExternalSecret", "auth-service-secrets")
    ]
    fields = {each["secretKey"]: place.texts[each["remoteRef"]["key"]] for each in spec["data"]}
    (place.folder / "fields.json").write_text(json.dumps(fields))
    config = files_of(place, "auth-service")["agent.hcl"]
    templates = spec["target"]["template"]["data"]
    for key, template in templates.items():
        dotted = f'{{{{ with file "{place.folder}/fields.json" | parseJSON }}}}{template}{{{{ end }}}}'
        (place.folder / "templates" / key).write_text(dotted)
    assert place.agent(config, ("services", "auth-service")).returncode == 0
    for path, content in keeping.arrived(one, "auth-service", place.texts.__getitem__).items():
        assert (place.folder / "pod" / path.strip("/")).read_text() == content, path
