"""No change of the map or of the policy's words reaches people unannounced, and no released version is changed."""

from __future__ import annotations

import copy
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.checks.registry import registry

from mindstage.datamap import checks
from mindstage.datamap.checks import check_policy
from mindstage.datamap.content import Content, present
from mindstage.datamap.differences import changed_purposes, changed_things, compare
from mindstage.datamap.reading import MapFault
from mindstage.datamap.releases import (
    COMING,
    NO_CHANGES,
    Change,
    coming,
    find_policy_faults,
    freeze,
    in_force,
    read_coming,
    read_releases,
    releases,
    write_release,
)

TODAY = date(2026, 11, 24)


def put(folder: Path, content: Content, *, today: date = TODAY, effective: date | None = None) -> None:
    """Release a content, with everything that changed announced in one line."""
    done = read_releases(folder)
    changed = changed_things(compare(done[-1].content, content)) if done else []
    announced = [Change(tuple(changed), "It is so now.")] if changed else []
    frozen = freeze(done, content, announced, today=today, effective=effective)
    write_release(frozen, folder=folder, coming_file=folder / "coming.toml")


def changed(kind: str, key: str, **changes: object) -> Content:
    content = copy.deepcopy(present())
    content[kind][key] = {**content[kind].get(key, {"title": "New"}), **changes}
    return content


def test_the_program_announces_what_it_changed() -> None:
    """The map and the words of this program are those of its last version, or coming.toml says what is different."""
    assert check_policy() == []
    assert check_policy in registry.registered_checks
    assert releases()[0].number == 1


def test_a_change_that_nobody_was_told_of(tmp_path: Path) -> None:
    """A changed entry fails the check, and the message says what to write where."""
    put(tmp_path, present())
    faults = list(find_policy_faults(read_releases(tmp_path), changed("entry", "story", basis="consent"), ()))
    assert [fault.id for fault in faults] == ["datamap.E020"]
    assert "entry:story was changed since version 1 of the policy (basis)" in faults[0].sentence
    assert "coming.toml" in faults[0].hint
    assert 'of = ["entry:story"]' in faults[0].hint


@pytest.mark.parametrize("kind", ["entry", "store", "door", "consent", "section"])
def test_every_kind_of_thing_is_compared(tmp_path: Path, kind: str) -> None:
    """A new, a changed and a vanished entry, store, door, consent and section each have to be announced."""
    put(tmp_path, present())
    key = next(iter(present()[kind]))
    gone = copy.deepcopy(present())
    del gone[kind][key]
    for content, of in (
        (changed(kind, "another"), f"{kind}:another"),
        (changed(kind, key, title="Otherwise"), f"{kind}:{key}"),
        (gone, f"{kind}:{key}"),
    ):
        faults = list(find_policy_faults(read_releases(tmp_path), content, ()))
        assert [fault.sentence.split()[0] for fault in faults] == [of]
        assert not list(find_policy_faults(read_releases(tmp_path), content, (Change((of,), "It is so now."),)))


def test_a_new_purpose_needs_a_reason_of_its_own(tmp_path: Path) -> None:
    """What is sealed and put to another use is opened for a new reason, so that the vault can tell them apart."""
    put(tmp_path, present())
    done, told = read_releases(tmp_path), (Change(("entry:story",), "We count words now."),)
    content = changed("entry", "story", purpose="dpv:ServiceOptimisation")
    faults = list(find_policy_faults(done, content, told))
    assert [fault.id for fault in faults] == ["datamap.E024"]
    assert "opened_for" in faults[0].hint
    content["entry"]["story"]["opened_for"] = [*present()["entry"]["story"]["opened_for"], "count"]
    assert not list(find_policy_faults(done, content, told))
    content["entry"]["story"]["opened_for"] = [*present()["entry"]["story"]["opened_for"], "sign_in"]
    assert [fault.id for fault in find_policy_faults(done, content, told)] == ["datamap.E024"]


def test_what_is_not_sealed_keeps_its_purpose(tmp_path: Path) -> None:
    """Nothing could keep a no to another use of a clear column: neither the check nor a release lets it pass."""
    put(tmp_path, present())
    done, told = read_releases(tmp_path), (Change(("entry:age_band",), "It chooses what we offer."),)
    content = changed("entry", "age_band", purpose="dpv:Marketing")
    (fault,) = find_policy_faults(done, content, told)
    assert (fault.id, "not sealed" in fault.sentence, "[[consent]]" in fault.hint) == ("datamap.E024", True, True)
    with pytest.raises(MapFault, match="entry:age_band has another purpose and is not sealed"):
        freeze(done, content, told, today=TODAY)


def test_an_entry_that_was_away_keeps_its_purpose(tmp_path: Path) -> None:
    """One that comes back after a version without it is not new: its people knew it for something else."""
    put(tmp_path, present())
    gone = copy.deepcopy(present())
    del gone["entry"]["age_band"]
    put(tmp_path, gone)
    content = changed("entry", "age_band", purpose="dpv:Marketing")
    faults = list(find_policy_faults(read_releases(tmp_path), content, (Change(("entry:age_band",), "So."),)))
    assert [fault.id for fault in faults] == ["datamap.E024"]


def test_an_announcement_of_nothing(tmp_path: Path) -> None:
    """A line about what has not changed is a mistake too, and so is one that says nothing."""
    put(tmp_path, present())
    done = read_releases(tmp_path)
    assert [fault.id for fault in find_policy_faults(done, present(), (Change(("entry:story",), "So."),))] == [
        "datamap.E021"
    ]
    content = changed("entry", "story", basis="consent")
    silent = (Change(("entry:story",), "  "),)
    assert [fault.id for fault in find_policy_faults(done, content, silent)] == ["datamap.E022"]


def test_no_version_at_all() -> None:
    """A program without a released policy fails its check."""
    assert [fault.id for fault in find_policy_faults((), present(), ())] == ["datamap.E020"]


def test_a_broken_history_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check reports a damaged release instead of breaking off."""

    def broken() -> tuple[()]:
        raise MapFault("releases/1.json cannot be read")

    monkeypatch.setattr(checks, "releases", broken)
    assert [(error.id, error.msg) for error in check_policy()] == [("datamap.E023", "releases/1.json cannot be read")]


def test_the_first_version_holds_at_once(tmp_path: Path) -> None:
    """There is nobody to tell, so it holds from its own day."""
    frozen = freeze((), present(), (), today=TODAY)
    assert frozen["number"] == 1
    assert frozen["effective_on"] == TODAY.isoformat()


def test_a_later_version_holds_after_thirty_days(tmp_path: Path) -> None:
    """30 days to the day; a day less is refused, a day more is the releaser's choice."""
    put(tmp_path, present())
    content, told = changed("entry", "story", basis="consent"), [Change(("entry:story",), "It is so now.")]
    done, edge = read_releases(tmp_path), TODAY + timedelta(days=30)
    assert freeze(done, content, told, today=TODAY)["effective_on"] == edge.isoformat()
    assert freeze(done, content, told, today=TODAY, effective=edge)["effective_on"] == edge.isoformat()
    later = edge + timedelta(days=1)
    assert freeze(done, content, told, today=TODAY, effective=later)["effective_on"] == later.isoformat()
    with pytest.raises(MapFault, match="30 days after"):
        freeze(done, content, told, today=TODAY, effective=edge - timedelta(days=1))


def test_nothing_is_released_unannounced_or_for_nothing(tmp_path: Path) -> None:
    """A release needs a change, and each change a line."""
    put(tmp_path, present())
    done = read_releases(tmp_path)
    with pytest.raises(MapFault, match="Nothing has changed"):
        freeze(done, present(), (), today=TODAY)
    with pytest.raises(MapFault, match="nobody is told"):
        freeze(done, changed("entry", "story", basis="consent"), (), today=TODAY)


def test_a_release_empties_what_was_announced(tmp_path: Path) -> None:
    """The lines become the version's summary; coming.toml begins anew, and says how it is written."""
    put(tmp_path, present())
    put(tmp_path, changed("entry", "story", basis="consent"))
    assert read_releases(tmp_path)[1].summary == ("It is so now.",)
    assert (tmp_path / "coming.toml").read_text() == NO_CHANGES
    assert read_coming(NO_CHANGES) == ()
    with pytest.raises(FileExistsError):
        write_release({"number": 1}, folder=tmp_path, coming_file=tmp_path / "coming.toml")


def test_coming_can_be_read() -> None:
    """The program's own file, and what is wrong with others."""
    assert coming() == read_coming(COMING.read_text())
    assert read_coming('[[change]]\nof = ["door:x"]\nsays = "So."') == (Change(("door:x",), "So."),)
    for wrong in ("[[change]]\nof = 1", "change = [", '[[change]]\nsays = "So."'):
        with pytest.raises(MapFault, match=r"coming\.toml cannot be read"):
            read_coming(wrong)


def test_a_released_version_is_never_changed(tmp_path: Path) -> None:
    """One changed byte of an old version breaks the chain; so does a version that is missing."""
    put(tmp_path, present())
    put(tmp_path, changed("entry", "story", basis="consent"))
    first = tmp_path / "1.json"
    kept = first.read_text()
    first.write_text(kept.replace("Argon2id", "Argon2"))
    with pytest.raises(MapFault, match="a released version was changed"):
        read_releases(tmp_path)
    first.write_text("{")
    with pytest.raises(MapFault, match="cannot be read"):
        read_releases(tmp_path)
    first.write_text(kept)
    (tmp_path / "2.json").rename(tmp_path / "3.json")
    with pytest.raises(MapFault, match=r"releases/2\.json is missing"):
        read_releases(tmp_path)


def test_a_release_that_holds_too_soon_is_not_read(tmp_path: Path) -> None:
    """Nobody gets around the notice by writing the file by hand."""
    put(tmp_path, present())
    put(tmp_path, changed("entry", "story", basis="consent"))
    second = tmp_path / "2.json"
    frozen = json.loads(second.read_text())
    frozen["effective_on"] = (TODAY + timedelta(days=29)).isoformat()
    second.write_text(json.dumps(frozen))
    with pytest.raises(MapFault, match="less than 30 days"):
        read_releases(tmp_path)


def test_which_version_holds_on_a_day(tmp_path: Path) -> None:
    """The earlier one until the day before."""
    put(tmp_path, present())
    put(tmp_path, changed("entry", "story", basis="consent"))
    done = read_releases(tmp_path)
    assert in_force(done, TODAY + timedelta(days=29)).number == 1
    assert in_force(done, TODAY + timedelta(days=30)).number == 2
    with pytest.raises(MapFault):
        in_force(done, TODAY - timedelta(days=1))


def test_what_changed_is_said_key_by_key() -> None:
    """Before and after, for a changed purpose, a new recipient, a new entry and one that is gone."""
    new = changed("entry", "story", purpose="dpv:Marketing", recipients=["everybody"])
    new["entry"]["diary"] = {"title": "Diary"}
    del new["entry"]["draft"]
    found = {(one.of, one.how, one.key): (one.before, one.after) for one in compare(present(), new)}
    assert found == {
        ("entry:story", "changed", "purpose"): ("dpv:ServiceProvision", "dpv:Marketing"),
        ("entry:story", "changed", "recipients"): (present()["entry"]["story"]["recipients"], ["everybody"]),
        ("entry:diary", "added", ""): (None, None),
        ("entry:draft", "removed", ""): (None, None),
    }
    assert {one.key for one in changed_purposes(compare(present(), new))} == {"purpose", "recipients"}
    assert compare(present(), present()) == []
