"""The way into a cluster: every kind of kubeconfig, and what a connection may do, on loopback."""

from __future__ import annotations

import base64
import datetime
import http.server
import ipaddress
import json
import ssl
import sys
import threading

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from groundplan.live import client, credentials, errors, kubeconfig
from tests.live import server


@pytest.fixture
def api():
    with server.serving() as serving:
        yield serving


def config(tmp_path, name: str = "config", current: str = "a", cluster: dict | None = None, user: dict | None = None):
    file = tmp_path / name
    file.write_text(yaml.safe_dump({
        "current-context": current,
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a", "namespace": "here"}}],
        "clusters": [{"name": "a", "cluster": {"server": "https://a.example:6443", **(cluster or {})}}],
        "users": [{"name": "a", "user": user or {}}],
    }))  # fmt: skip
    return file


# Kubeconfigs.


def test_several_files_merge_and_the_first_that_names_a_thing_says_what_it_is(tmp_path, monkeypatch):
    one = config(tmp_path, "one", current="")
    two = config(tmp_path, "two", cluster={"server": "https://ignored.example"})
    three = tmp_path / "three"
    three.write_text("contexts: [{name: b, context: {cluster: a}}]\n")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/missing:{one}:{two}:{three}")
    found = kubeconfig.access()
    assert (found.context, found.server, found.namespace) == ("a", "https://a.example:6443", "here")
    assert kubeconfig.access(context="b").user == kubeconfig.User()


def test_files_are_found_beside_the_kubeconfig_that_names_them(tmp_path):
    (tmp_path / "ca.pem").write_bytes(b"authority")
    (tmp_path / "token").write_text("t\n")
    user = {"tokenFile": "token", "client-certificate-data": base64.b64encode(b"mine").decode()}
    found = kubeconfig.access(config(tmp_path, cluster={"certificate-authority": "ca.pem"}, user=user))
    assert (found.authority, found.user.certificate) == (b"authority", b"mine")
    assert credentials.Source(found, server.Clock()).current().token == "t"


def test_without_a_kubeconfig_a_pod_uses_its_own_account(tmp_path, monkeypatch):
    for name, text in (("token", "t"), ("ca.crt", "authority"), ("namespace", "shop")):
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = kubeconfig.in_cluster(tmp_path)
    assert (found.server, found.namespace) == ("https://[fd00::1]:443", "shop")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "is no kubeconfig"),
        ("a: [", "cannot be read"),
        ("a: " + "[" * 100_000, "cannot be read"),
        ("a: " + "9" * 5000, "cannot be read"),
        ('current-context: a\ncontexts: [{name: a, context: {cluster: a}}]\n'
         'clusters: [{name: a, cluster: {server: "https://a", certificate-authority: "a\\0b"}}]', "embedded null byte"),
        ("contexts: 5", "contexts is no list"),
        ("contexts: [5]", "has no name"),
        ("current-context: x", "there is no context 'x'"),
        ("contexts: []", "no current context"),
        ("current-context: a\ncontexts: [{name: a, context: {cluster: b}}]", "there is no cluster of context a 'b'"),
        ("current-context: a\ncontexts: [{name: a, context: {cluster: [b]}}]", "cluster is list, not text"),
        ("current-context: a\ncontexts: [{name: a, context: {cluster: a}}]\nclusters: [{name: a, cluster: {}}]",
         "server is ''"),
    ],
)  # fmt: skip
def test_an_unusable_kubeconfig_is_told_by_its_name(tmp_path, text, said):
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(errors.NoAccess) as caught:
        kubeconfig.access(file)
    assert str(file.parent) in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"auth-provider": {"name": "gcp"}}, "gone since Kubernetes 1.26"),
        ({"client-certificate-data": "%%%"}, "no base64"),
        ({"client-certificate": "/missing.pem"}, "cannot read /missing.pem"),
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1"}}, "names no command"),
        ({"token": 5}, "token is int, not text"),
    ],
)
def test_an_unusable_user_is_told(tmp_path, user, said):
    with pytest.raises(errors.NoAccess) as caught:
        kubeconfig.access(config(tmp_path, user=user))
    assert said in str(caught.value)


YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(("contexts", "clusters", "users", "name", "context", "cluster", "user", "server", "exec",
                         "current-context", "args", "env", "as-groups", "command")), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(YAML)
def test_whatever_a_kubeconfig_holds_it_is_read_or_refused(tmp_path_factory, tree):
    file = tmp_path_factory.mktemp("fuzz") / "config"
    file.write_text(yaml.safe_dump(tree))
    try:
        kubeconfig.access(file)
    except errors.NoAccess as error:
        assert str(file) in str(error)


# Credential plugins.


def plugin(tmp_path, status: dict | None, version: str = "v1", ends: int = 0, **more):
    """A kubeconfig whose plugin prints `status`, and notes what it was told."""
    file = tmp_path / "plugin"
    api_version = f"client.authentication.k8s.io/{version}"
    printed = json.dumps({"apiVersion": api_version, "kind": "ExecCredential", "status": status})
    file.write_text(
        f"#!{sys.executable}\nimport os, sys\nopen({str(tmp_path / 'asked')!r}, 'a').write("
        f"os.environ['KUBERNETES_EXEC_INFO'] + os.environ.get('MORE', '') + chr(10))\n"
        f"print({printed!r})\nsys.exit({ends})\n"
    )
    file.chmod(0o755)
    said = {"apiVersion": api_version, "command": "./plugin", "env": [{"name": "MORE", "value": "yes"}], **more}
    return kubeconfig.access(config(tmp_path, user={"exec": said}))


def test_a_plugin_is_asked_once_until_its_credentials_are_about_to_expire(tmp_path):
    soon = datetime.datetime.fromtimestamp(server.Clock().now() + 60, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    access = plugin(tmp_path, {"token": "t", "expirationTimestamp": soon}, provideClusterInfo=True)
    clock = server.Clock()
    source = credentials.Source(access, clock)
    assert [source.current().token, source.current().token] == ["t", "t"]
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert asked[0].endswith("yes")
    assert json.loads(asked[0].removesuffix("yes"))["spec"]["cluster"]["server"] == access.server
    clock.sleep(55)
    source.current()
    assert len((tmp_path / "asked").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("status", "more", "said"),
    [
        (None, {}, "printed no credentials"),
        ({"token": ""}, {}, "printed no credentials"),
        ({"token": "t", "expirationTimestamp": "soon"}, {}, "printed no credentials"),
        ({"token": "t"}, {"ends": 3}, "ended with exit code 3"),
        ({"token": "t"}, {"version": "v1alpha1"}, "a plugin for client.authentication.k8s.io/v1alpha1"),
        ({"token": "t"}, {"command": "no-such-plugin", "installHint": "get it there"}, "get it there"),
    ],
)
def test_a_plugin_that_fails_is_told(tmp_path, status, more, said):
    access = plugin(tmp_path, status, **more)
    with pytest.raises(errors.Unauthenticated) as caught:
        credentials.Source(access, server.Clock()).current()
    assert said in str(caught.value)


def test_refused_credentials_are_asked_for_once_more(tmp_path, api):
    api.answers = [(401, {"message": "Unauthorized"}, {})]
    access = plugin(tmp_path, {"token": "t"})
    found = client.Client(kubeconfig.Access("a", api.url, access.user), server.Clock()).get("/version")
    assert found["major"] == "1"
    assert len((tmp_path / "asked").read_text().splitlines()) == 2
    api.answers = [(401, {"message": "Unauthorized"}, {})] * 2
    with pytest.raises(errors.Unauthenticated, match="does not know who asks"):
        client.Client(kubeconfig.Access("a", api.url, access.user), server.Clock()).get("/version")


def test_who_asks_on_behalf_of_others_says_so(api):
    server.connected(api, impersonates="bob", groups=("ops",), basic=("jane", "pw")).get("/version")
    sent = api.seen[-1]
    assert (sent["Impersonate-User"], sent["Impersonate-Group"]) == ("bob", "ops")
    assert sent["Authorization"] == "Basic amFuZTpwdw=="


# Answers and connections.


def test_an_overloaded_server_is_asked_again_when_it_says(api):
    clock = server.Clock()
    api.answers = [(429, {"message": "busy"}, {"Retry-After": "3"}), (503, {"message": "busy"}, {})]
    assert server.connected(api, clock).get("/version")["major"] == "1"
    assert 3 <= clock.time < 5


def test_a_webhook_that_does_not_answer_is_named(api):
    said = 'Internal error occurred: failed calling webhook "validate.example": context deadline exceeded'
    api.answers = [(500, {"message": said}, {})] * client.TRIES
    with pytest.raises(errors.Unavailable, match=r"the webhook validate\.example of the cluster does not answer"):
        server.connected(api).apply("/api/v1/namespaces/x", {}, manager="m", subject="Namespace x")


def test_a_field_that_the_cluster_does_not_know_is_no_reason_to_ask_again(api):
    clock = server.Clock()
    said = "failed to create typed patch object (a/b; v1, Kind=X): .spec.new: field not declared in schema"
    api.answers = [(500, {"message": said}, {})]
    with pytest.raises(errors.Refused, match="X a/b: the API server refuses it") as caught:
        server.connected(api, clock).apply("/api/v1/namespaces/x", {}, manager="m", subject="X a/b")
    assert "field not declared" in caught.value.why
    assert clock.time == 0


def test_words_of_others_cannot_steer_a_terminal(api):
    api.answers = [(422, {"message": "no", "details": {"causes": [{"message": "\x1b[2Jgone\r\n" * 900}]}}, {})]
    with pytest.raises(errors.Refused) as caught:
        server.connected(api).get("/version")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("body", [b"[" * 100_000, b"<html>gateway</html>", b"[1]", b"null", b"\xff\xfe", b"{"])
def test_what_is_no_answer_of_an_api_server_is_no_traceback(body):
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with running(Other) as url, pytest.raises(errors.Unexpected, match="no API server"):
        client.Client(kubeconfig.Access("a", url, kubeconfig.User()), server.Clock()).get("/version")


def test_a_redirect_does_not_carry_the_token_elsewhere(api):
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", f"{api.url}/version")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with running(Elsewhere) as url, pytest.raises(errors.LiveError):
        client.Client(kubeconfig.Access("a", url, kubeconfig.User(token="t")), server.Clock()).get("/version")
    assert api.count == 0


class running:
    """A server for a moment; `context` makes it one by TLS."""

    def __init__(self, handler, context: ssl.SSLContext | None = None) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.scheme = "http"
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *args) -> None:
        self.server.shutdown()
        self.server.server_close()


# TLS.


def issued(name: str, authority=None, address: str = ""):
    """A certificate and its key, PEM; its own authority without one."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer, signer = (authority[2].subject, authority[3]) if authority else (own, key)
    names = [x509.IPAddress(ipaddress.ip_address(address))] if address else [x509.DNSName(name)]
    made = (
        x509.CertificateBuilder()
        .subject_name(own).issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private, made, key


class Hello(http.server.BaseHTTPRequestHandler):
    """Answers who the client is by its certificate."""

    def do_GET(self):
        peer = self.connection.getpeercert() or {}
        names = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
        body = json.dumps({"you": names}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def test_tls_is_checked_by_authority_and_name_and_carries_the_clients_certificate(tmp_path):
    root = issued("root")
    mine = issued("jane", root)

    def hello(certificate, **said):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (tmp_path / "server.pem").write_bytes(certificate[0] + certificate[1])
        context.load_cert_chain(tmp_path / "server.pem")
        context.load_verify_locations(cadata=root[0].decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        user = kubeconfig.User(certificate=mine[0], key=mine[1])
        with running(Hello, context) as url:
            return client.Client(kubeconfig.Access("a", url, user, **said), server.Clock()).get("/version")

    by_address, by_name = issued("api", root, "127.0.0.1"), issued("api.example", root)
    assert hello(by_address, authority=root[0]) == {"you": ["jane"]}
    assert hello(by_name, authority=root[0], server_name="api.example") == {"you": ["jane"]}
    assert hello(by_name, insecure=True) == {"you": ["jane"]}
    for certificate, said in ((by_name, {"authority": root[0]}), (by_address, {}),
                              (by_name, {"authority": root[0], "server_name": "other.example"})):  # fmt: skip
        with pytest.raises(errors.Unreachable, match="its certificate is not trusted"):
            hello(certificate, **said)


def test_an_unreadable_certificate_is_told():
    for said in ({"authority": b"no certificate"}, {"user": kubeconfig.User(certificate=b"x", key=b"y")}):
        access = kubeconfig.Access("a", "https://127.0.0.1:9", **{"user": kubeconfig.User(), **said})
        with pytest.raises(errors.NoAccess, match="a certificate or key cannot be read"):
            client.Client(access, server.Clock()).get("/version")


def test_requests_go_through_the_proxy_of_the_kubeconfig(api):
    access = kubeconfig.Access("a", "http://api.invalid:6443", kubeconfig.User(), proxy=api.url)
    with pytest.raises(errors.Missing):  # the double takes the whole address for a path it does not know
        client.Client(access, server.Clock()).get("/nothing")
    assert api.count == 1
    access = kubeconfig.Access("a", "https://api.invalid:6443", kubeconfig.User(), proxy="socks5://127.0.0.1:1")
    with pytest.raises(errors.NoAccess, match="spoken are http and https"):
        client.Client(access, server.Clock()).get("/version")
