"""On a real PostgreSQL server: what is planted in any table is found, and in dead rows where its files can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mindstage.datamap.scanner import Scanner
from mindstage.ops.census.on_server import Databases
from mindstage.ops.census.places import ON_SERVER, Lookout
from mindstage.ops.census.words import make_word
from mindstage.ops.servers import ServerRefused, ask
from postgres_server import find_server

SERVER = find_server()
pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(not SERVER, reason="NO POSTGRESQL SERVER ANSWERS: a census on one is not tested"),
]
LIVE, BYTES, DEAD = (make_word() for _ in range(3))


@pytest.fixture
def databases() -> Iterator[Databases]:
    databases = Databases(SERVER or "")
    databases.make()
    try:
        yield databases
    finally:
        databases.drop()


def plant(databases: Databases) -> None:
    main, keystore = databases.environ().values()
    ask(
        main,
        "CREATE SCHEMA aside; CREATE TABLE aside.notes (id uuid PRIMARY KEY, note text); "
        f"INSERT INTO aside.notes VALUES (gen_random_uuid(), '{LIVE}'), (gen_random_uuid(), '{DEAD}'); "
        f"DELETE FROM aside.notes WHERE note = '{DEAD}'",
    )
    ask(keystore, f"CREATE TABLE keys (wrapped bytea); INSERT INTO keys VALUES (convert_to('{BYTES}', 'UTF8'))")


def test_what_is_planted_unsealed_is_found(databases: Databases, tmp_path: Path) -> None:
    """In a text of a schema that nobody knows, in bytes, and in a deleted row, which a server does not overwrite."""
    plant(databases)
    instance = tmp_path / "instance"
    databases.write_out(instance)
    seen = Lookout(Scanner([LIVE, BYTES, DEAD])).sweep(instance, databases.read_elsewhere())
    places = {(one.word, one.place) for one in seen.found}
    assert (LIVE, "data/database/mindstage.sqlite3: aside.notes.note") in places
    assert (BYTES, "data/keystore/keystore.sqlite3: keys.wrapped") in places
    assert not [place for word, place in places if word == DEAD and not place.startswith(ON_SERVER)]
    if databases.find_folder():
        assert {word for word, place in places if place.startswith(ON_SERVER)} == {LIVE, BYTES, DEAD}
        assert "the server's files as they lie" in databases.describe()
    else:
        assert not seen.elsewhere
        assert "Not looked at: the server's files" in databases.describe()


def test_a_server_elsewhere_is_no_folder_here() -> None:
    """Of another machine's server no file is taken for its own."""
    assert Databases("postgresql://somebody@database.example:5432/x").find_folder() is None


def test_its_databases_are_gone_afterwards(databases: Databases) -> None:
    """Copies too, and what somebody is still connected to."""
    databases.copied().copied()
    names = "SELECT count(*) FROM pg_database WHERE datname LIKE '{}%'"
    assert ask(databases.server, names.format(databases.name)) == "6"
    databases.drop()
    assert ask(databases.server, names.format(databases.name)) == "0"


def test_a_server_that_refuses_says_so() -> None:
    with pytest.raises(ServerRefused, match="refused it"):
        Databases("postgresql://nobody@127.0.0.1:1/none").make()
