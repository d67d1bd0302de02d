"""The memory of the process: whatever a module keeps and changes is declared, whoever adds it tomorrow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.core import checks as django_checks

from mindstage.datamap import checks
from mindstage.datamap.checks import check_data_map, find_gaps_of_memory
from mindstage.datamap.memory import find_memory, memory_of_program
from mindstage.datamap.reading import MapFault, data_map, parse, read_source

of_the_program = pytest.mark.xdist_group("memory of the program")
"""All of its source is read for that, once in a process: what asks for it goes to one."""


def planted(folder: Path, **modules: str) -> set[str]:
    """What is found in a package of these modules."""
    package = folder / "house"
    package.mkdir()
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    return set(find_memory(package))


@of_the_program
def test_all_memory_of_the_program_is_declared() -> None:
    """The program keeps nothing under a module's name that the map does not tell of."""
    assert list(find_gaps_of_memory(data_map(), memory_of_program())) == []
    assert {name for name, said in data_map().memory.items() if said == "memory:openings"} == {
        "mindstage.accounts.access_counts._waiting"
    }


@of_the_program
def test_memory_that_is_not_declared_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody remembers who was here last, in a dictionary: the check says so, and where to write what it is."""
    found = planted(tmp_path, room="_last = {}\n\ndef show(person, text):\n    _last[person] = text\n")
    monkeypatch.setattr(checks, "memory_of_program", lambda: memory_of_program() | found)
    [fault] = check_data_map()
    assert isinstance(fault, django_checks.Error)
    assert (fault.id, fault.msg) == (
        "datamap.E009",
        "house.room._last is changed while the program runs and is not in the data map",
    )
    assert "[memory] of places.toml" in str(fault.hint)


@of_the_program
def test_declared_memory_that_is_gone_fails_the_check() -> None:
    """A promise about memory that nobody keeps would be kept by nobody."""
    declared = replace(data_map(), memory=data_map().memory | {"mindstage.stories.turns._gone": "a reason"})
    assert [(fault.id, fault.msg) for fault in find_gaps_of_memory(declared, memory_of_program())] == [
        ("datamap.E010", "places.toml declares mindstage.stories.turns._gone, which no code changes")
    ]


@pytest.mark.parametrize("said", ["", "memory:gone"])
def test_memory_says_what_it_is(said: str) -> None:
    """An empty reason is none, and neither is a store that nobody declared."""
    with pytest.raises(MapFault, match="neither a declared store nor a reason"):
        parse(read_source().replace("[memory]", f'[memory]\n"mindstage.kit.other" = "{said}"'))


KEPT = {
    "a dictionary": "kept = {}\ndef deed(who):\n    kept[who] = 1\n",
    "one with a type": "kept: dict[str, int] = {}\ndef deed(who):\n    kept[who] += 1\n",
    "an entry taken out": "kept = {}\ndef deed(who):\n    del kept[who]\n",
    "a list": "kept = []\ndef deed(who):\n    kept.append(who)\n",
    "a whole list": "kept = []\ndef deed(who):\n    kept[:] = [who]\n",
    "a set, handed on": "kept = set()\ndef deed(task):\n    task.when_done(kept.discard)\n",
    "a deque in an async function": "kept = deque()\nasync def deed(who):\n    kept.appendleft(who)\n",
    "a lambda": "kept = {}\ndeed = lambda who: kept.setdefault(who, 1)\n",
    "a function in a function": "kept = []\ndef deed(who):\n    def inner():\n        kept.append(who)\n    inner()\n",
    "a method": "kept = []\nclass Deed:\n    def do(self, who):\n        kept.append(who)\n",
    "a context variable": "kept = ContextVar('kept')\ndef deed(who):\n    kept.set(who)\n",
    "a thread's own": "kept = threading.local()\ndef deed(who):\n    kept.who = who\n",
    "a name bound anew": "kept = None\ndef deed(who):\n    global kept\n    kept = who\n",
    "deep inside": "kept = {}\ndef deed(who):\n    kept[who].friends.append(who)\n",
    "a cache": "@lru_cache(maxsize=9)\ndef kept(who):\n    return who\n",
    "a cache by its long name": "@functools.cache\ndef kept(*who):\n    return who\n",
    "an object that changes itself": "class Box:\n    def put_in(self, it):\n        self.it = it\nkept = Box()\n",
    "under a condition": "if True:\n    kept = {}\ndef deed(who):\n    kept[who] = 1\n",
}
NOT_KEPT = {
    "a table": "table = {1: 2}\ndef deed(who):\n    return table.get(who)\n",
    "filled while the module is read": "table = {}\ntable[1] = 2\n",
    "a name of the function's own": "kept = []\ndef deed(who):\n    kept = []\n    kept.append(who)\n",
    "an argument": "kept = []\ndef deed(kept):\n    kept.append(1)\n",
    "one of the function around": "kept = []\ndef deed(kept):\n    def inner():\n        kept.append(1)\n",
    "a value of the program": "@cache\ndef text():\n    return 1\n",
    "an object that stays": "class Box:\n    def __init__(self):\n        self.it = 1\nkept = Box()\n",
}


@pytest.mark.parametrize("code", KEPT.values(), ids=KEPT.keys())
def test_what_is_kept_is_found(tmp_path: Path, code: str) -> None:
    """Every way of keeping something under a module's name."""
    assert planted(tmp_path, room=code) == {"house.room.kept"}


@pytest.mark.parametrize("code", NOT_KEPT.values(), ids=NOT_KEPT.keys())
def test_what_is_not_kept_is_not_found(tmp_path: Path, code: str) -> None:
    """What no function changes, and what ends with its function."""
    assert planted(tmp_path, room=code) == set()


@pytest.mark.parametrize(
    "code",
    [
        "from house.room import kept\ndef deed(who):\n    kept[who] = 1\n",
        "from house.room import kept as other\ndef deed(who):\n    other.pop(who)\n",
        "from house import room\ndef deed(who):\n    room.kept[who] = 1\n",
        "def deed(who):\n    from house import room\n    room.kept = who\n",
    ],
)
def test_what_another_module_changes_is_found_where_it_is_kept(tmp_path: Path, code: str) -> None:
    """Whoever changes it, the map names the module that keeps it."""
    assert planted(tmp_path, room="kept = {}\n", other=code) == {"house.room.kept"}


def test_what_the_objects_of_a_class_share_is_found(tmp_path: Path) -> None:
    """A class's own dictionary lives as long as a module's."""
    code = "class Box:\n    kept = {}\n    def put(self, who):\n        self.kept[who] = 1\n"
    other = "from house.room import Box\ndef deed(who):\n    Box.kept.clear()\n"
    assert planted(tmp_path, room=code, other=other) == {"house.room.Box.kept"}
