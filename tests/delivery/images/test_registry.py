"""A digest is believed when what the registry sends has it; whatever else happens is one of few errors."""

from __future__ import annotations

import base64
import json
import socket

import pytest

from groundplan.delivery.images import references, registry
from tests.delivery.images import registries

HASTY = registry.Patience(answer=2, pauses=(0, 0))


def look(double: registries.Double, known: str = "", **environment: str) -> str:
    client = registry.Client(environment, HASTY)
    return client.digest(references.parse(f"{double.host}/shop/web:1.0"), known)


def told(*answers: registries.Answer) -> registries.Double:
    """A double that gives `answers` one after the other, and then the last one."""
    rest = list(answers)
    return registries.Double(lambda asked: rest.pop(0) if len(rest) > 1 else rest[0])


def test_a_new_digest_is_asked_for_and_then_proven_by_what_has_it():
    with registries.serving(registries.Double()) as double:
        assert look(double) == registries.DIGEST
    assert [(each.method, each.path) for each in double.asked] == [
        ("HEAD", "/v2/shop/web/manifests/1.0"),
        ("GET", f"/v2/shop/web/manifests/{registries.DIGEST}"),
    ]
    assert double.asked[0].accept.startswith("application/vnd.oci.image.index.v1+json")


def test_a_known_digest_costs_no_pull():
    with registries.serving(registries.Double()) as double:
        assert look(double, known=registries.DIGEST) == registries.DIGEST
    assert [each.method for each in double.asked] == ["HEAD"]


def test_a_registry_that_names_no_digest_is_asked_for_the_manifest_itself():
    with registries.serving(told(registries.manifest(digest=""))) as double:
        assert look(double) == registries.DIGEST


@pytest.mark.parametrize("said", ["sha256:" + "0" * 64, "sha512:" + "0" * 128, "sha256:xyz", "7"])
def test_a_digest_that_is_not_that_of_the_manifest_is_not_believed(said):
    with registries.serving(told(registries.manifest(digest=said))) as double, pytest.raises(registry.Untrue):
        look(double)


def test_a_body_without_end_is_not_read_to_its_end():
    body = b" " * (4 * 1024 * 1024 + 1)
    with (
        registries.serving(told(registries.manifest(body))) as double,
        pytest.raises(registry.Untrue, match="more than"),
    ):
        look(double)


@pytest.mark.parametrize("passing", [registries.Answer(status) for status in (429, 500, 502, 503, 504)])
def test_trouble_that_passes_is_waited_for(passing):
    with registries.serving(told(passing, passing, registries.manifest())) as double:
        assert look(double) == registries.DIGEST


def test_a_dropped_connection_is_made_again():
    with registries.serving(told(registries.Answer(dropped=True), registries.manifest())) as double:
        assert look(double) == registries.DIGEST


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (registries.Answer(404), registry.Missing),
        (registries.Answer(403), registry.Denied),
        (registries.Answer(401), registry.Denied),
        (registries.Answer(401, {"WWW-Authenticate": "Basic"}), registry.Denied),
        (registries.Answer(401, {"WWW-Authenticate": "Negotiate"}), registry.Denied),
        (registries.Answer(401, {"WWW-Authenticate": 'Bearer realm="http://evil.example/"'}), registry.Untrue),
        (registries.Answer(401, {"WWW-Authenticate": 'Bearer realm="file:///etc/passwd"'}), registry.Untrue),
        (registries.Answer(401, {"WWW-Authenticate": 'Bearer realm="https://[x"'}), registry.Untrue),
        (registries.Answer(429), registry.Busy),
        (registries.Answer(429, {"Retry-After": "3600"}), registry.Busy),
        (registries.Answer(503), registry.Busy),
        (registries.Answer(204), registry.Untrue),
        (registries.Answer(dropped=True), registry.Unreachable),
    ],
)  # fmt: skip
def test_an_answer_that_remains_bad_is_an_error_of_its_kind(answer, error):
    with registries.serving(told(answer)) as double, pytest.raises(error):
        look(double)


def test_who_asks_for_an_hour_of_patience_is_asked_once():
    with registries.serving(told(registries.Answer(429, {"Retry-After": "3600"}))) as double:
        with pytest.raises(registry.Busy):
            look(double)
        assert len(double.asked) == 1


def test_nobody_there_is_unreachable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        double = registries.Double()
        double.host = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(registry.Unreachable):
            look(double)


def guarded(token: object, wanted: str = "Bearer the-token") -> registries.Double:
    """A registry that wants a token, and gives `token` at /token."""

    def tells(asked: registries.Asked) -> registries.Answer:
        if asked.path.startswith("/token"):
            return registries.Answer(body=json.dumps(token).encode())
        if asked.authorization == wanted:
            return registries.manifest()
        scope = 'service="shop",scope="repository:shop/web:pull"'
        return registries.Answer(401, {"WWW-Authenticate": f'Bearer realm="http://{double.host}/token",{scope}'})

    double = registries.Double(tells)
    return double


@pytest.mark.parametrize("token", [{"token": "the-token"}, {"access_token": "the-token", "expires_in": 60}])
def test_a_challenge_is_answered_with_a_token_for_just_this_image(token):
    with registries.serving(guarded(token)) as double:
        assert look(double) == registries.DIGEST
    asked = next(each for each in double.asked if each.path.startswith("/token"))
    assert asked.path == "/token?scope=repository%3Ashop%2Fweb%3Apull&service=shop"
    assert asked.authorization == ""


@pytest.mark.parametrize("token", [{}, [], "x", {"token": "a\nb"}, {"token": 7}, {"token": "wrong"}])
def test_a_token_that_is_none_is_an_error(token):
    with registries.serving(guarded(token)) as double, pytest.raises(registry.RegistryError):
        look(double)


def login(folder, host: str, text: str = "somebody:something") -> dict[str, str]:
    auths = {"auths": {host: {"auth": base64.b64encode(text.encode()).decode()}}}
    (folder / "config.json").write_text(json.dumps(auths))
    return {"DOCKER_CONFIG": str(folder)}


def test_a_login_is_given_for_a_token_and_to_nobody_else(tmp_path):
    with registries.serving(guarded({"token": "the-token"})) as double:
        assert look(double, **login(tmp_path, double.host)) == registries.DIGEST
    basic = "Basic " + base64.b64encode(b"somebody:something").decode()
    assert {each.authorization for each in double.asked if each.path.startswith("/token")} == {basic}
    assert basic not in {each.authorization for each in double.asked if not each.path.startswith("/token")}


def test_a_login_of_another_registry_is_given_to_none(tmp_path):
    with registries.serving(guarded({"token": "the-token"})) as double:
        look(double, **login(tmp_path, "other.example"))
    assert not any(each.authorization.startswith("Basic") for each in double.asked)


def test_a_credential_helper_is_asked(tmp_path):
    helper = tmp_path / "docker-credential-shop"
    helper.write_text('#!/bin/sh\ncat >/dev/null\necho \'{"Username": "somebody", "Secret": "something"}\'\n')
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "shop"}))
    with registries.serving(guarded({"token": "the-token"})) as double:
        look(double, DOCKER_CONFIG=str(tmp_path), PATH=f"{tmp_path}:/usr/bin:/bin")
    assert any(each.authorization.startswith("Basic") for each in double.asked)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"auths": []}', '{"auths": {"x": 1}}', '{"credsStore": "../evil"}'])
def test_a_login_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with registries.serving(registries.Double()) as double:
        assert look(double, DOCKER_CONFIG=str(tmp_path)) == registries.DIGEST


def test_a_redirect_elsewhere_takes_no_authorization_along(tmp_path):
    with registries.serving(registries.Double()) as elsewhere:

        def tells(asked: registries.Asked) -> registries.Answer:
            if asked.path.startswith("/token"):
                return registries.Answer(body=b'{"token": "the-token"}')
            if not asked.authorization:
                challenge = f'Bearer realm="http://{double.host}/token"'
                return registries.Answer(401, {"WWW-Authenticate": challenge})
            return registries.Answer(307, {"Location": f"http://{elsewhere.host}{asked.path}"})

        with registries.serving(registries.Double(tells)) as double:
            assert look(double) == registries.DIGEST
    assert elsewhere.asked
    assert {each.authorization for each in elsewhere.asked} == {""}
