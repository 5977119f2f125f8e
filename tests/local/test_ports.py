"""Ports: stable, honoured where wished, never shared by two checkouts."""

from __future__ import annotations

import os
import pathlib
import socket

import msgspec
import pytest

from groundplan.local import ports
from tests.local import running


@pytest.fixture
def shared(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared" / "ports.json"


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "a").mkdir()
    return tmp_path / "a" / "ports.json"


def test_a_name_keeps_its_port(checkout: pathlib.Path, shared: pathlib.Path) -> None:
    first = {name: ports.Book(checkout, neighbours=shared).take(name) for name in ("api", "db", "web")}
    again = {name: ports.Book(checkout, neighbours=shared).take(name) for name in ("web", "db", "api")}
    assert first == again
    assert len(set(first.values())) == 3


def test_a_wish_is_honoured_when_the_port_is_free(checkout: pathlib.Path, shared: pathlib.Path) -> None:
    wish = running.free_port()
    book = ports.Book(checkout, neighbours=shared)
    assert book.take("api", wish) == wish
    assert book.changes == []


def test_a_wish_that_is_taken_is_told_with_who_has_it(checkout: pathlib.Path, shared: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        wish = other.getsockname()[1]
        book = ports.Book(checkout, neighbours=shared)
        port = book.take("api", wish)
    assert port != wish
    assert len(book.changes) == 1
    assert book.changes[0].startswith(f"api: {wish} is taken by pid {os.getpid()} (")
    assert book.changes[0].endswith(f": using {port}")


def test_a_wish_that_is_free_again_is_honoured_at_the_next_start(checkout: pathlib.Path, shared: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        wish = other.getsockname()[1]
        assert ports.Book(checkout, neighbours=shared).take("api", wish) != wish
    assert ports.Book(checkout, neighbours=shared).take("api", wish) == wish


def test_a_remembered_port_that_somebody_took_is_given_up_and_told(
    checkout: pathlib.Path, shared: pathlib.Path
) -> None:
    had = ports.Book(checkout, neighbours=shared).take("api")
    with socket.create_server(("127.0.0.1", had)):
        book = ports.Book(checkout, neighbours=shared)
        port = book.take("api")
    assert port != had
    assert book.changes[0].startswith(f"api: {had} is taken by pid ")
    assert ports.Book(checkout, neighbours=shared).take("api") == port


def test_two_names_never_share_a_port(checkout: pathlib.Path, shared: pathlib.Path) -> None:
    wish = running.free_port()
    book = ports.Book(checkout, neighbours=shared)
    assert book.take("a", wish) != book.take("b", wish)
    assert book.changes == [f"b: {wish} is taken by another part of this platform: using {book.take('b')}"]


def test_checkouts_side_by_side_never_share_a_port_though_nothing_listens(
    tmp_path: pathlib.Path, shared: pathlib.Path
) -> None:
    taken: list[int] = []
    for checkout in ("a", "b", "c"):
        (tmp_path / checkout).mkdir(exist_ok=True)
        book = ports.Book(tmp_path / checkout / "ports.json", neighbours=shared)
        taken += [book.take(f"service-{index}") for index in range(40)]
    assert len(set(taken)) == len(taken)
    assert all(ports.FIRST <= port <= ports.LAST for port in taken)


def test_a_checkout_that_is_gone_gives_its_ports_back(tmp_path: pathlib.Path, shared: pathlib.Path) -> None:
    (tmp_path / "a").mkdir()
    gone = tmp_path / "a" / "ports.json"
    ports.Book(gone, neighbours=shared).take("api")
    gone.unlink()
    (tmp_path / "b").mkdir()
    ports.Book(tmp_path / "b" / "ports.json", neighbours=shared).take("api")
    known = msgspec.json.decode(shared.read_bytes())
    assert list(known) == [str(tmp_path / "b" / "ports.json")]


def test_an_unreadable_book_is_kept_aside_and_told(checkout: pathlib.Path, shared: pathlib.Path) -> None:
    checkout.write_text('{"api": 2')
    book = ports.Book(checkout, neighbours=shared)
    book.take("api")
    assert book.changes == ["ports.json was unreadable; kept as ports.json.unreadable-1, ports are chosen anew"]
    assert checkout.with_name("ports.json.unreadable-1").read_text() == '{"api": 2'


def test_a_port_that_our_own_running_platform_holds_is_not_taken_from_it(
    ground: running.Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.place.root.mkdir()
    wish = running.free_port()
    assert ports.Book(ground.place.ports).take("api", wish) == wish
    code = f"import socket, time; s = socket.create_server(('127.0.0.1', {wish})); print('here'); time.sleep(1000)"
    ground.up(running.plan(running.daemon("api", code)))
    running.until(lambda: ground.log("api"))
    book = ports.Book(ground.place.ports)
    assert (book.take("api", wish), book.changes) == (wish, [])


def test_a_unit_whose_port_is_taken_says_by_whom_and_nothing_is_left(ground: running.Ground) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        address = (("http", f"http://127.0.0.1:{port}"),)
        child = ground.launch(running.plan(running.daemon("db"), running.daemon("api", addresses=address)))
        said = ground.said(child)
    assert child.returncode == 1
    assert f"api cannot start: port {port} is taken by pid {os.getpid()} (" in said
    assert "fix: stop that process, or ask for another port in the plan" in said
    ground.assert_nothing_left()


def test_replicas_share_a_port_of_their_own(ground: running.Ground) -> None:
    port = running.free_port()
    code = f"""
        import socket, time
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(("127.0.0.1", {port}))
        s.listen()
        time.sleep(1000)
        """
    ground.up(running.plan(running.replicas("api", code, 2, addresses=(("http", f"http://127.0.0.1:{port}"),))))
    assert ground.restart("api").ok
    assert (ground.state("api-0"), ground.state("api-1")) == ("ready", "ready")
