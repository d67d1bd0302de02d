"""An erasure beside other things: an own freeze, an export; and the order of key and row in every room."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from library import card_makers as make
from mindstage.accounts.freezing import freeze_account, thaw_account
from mindstage.accounts.models import User
from mindstage.accounts.sessions import keep_proof
from mindstage.datamap.holdings import holdings
from mindstage.library.characters import import_character
from mindstage.library.staging import stage_parts_of_starter
from mindstage.library.starters import starters
from mindstage.rights import export
from mindstage.rights.erasure import AlreadyAsked, cancel_erasure, find_request, request_erasure, request_of, run_due
from mindstage.rights.export import ExportRefused
from mindstage.rights.export_models import Export
from mindstage.rights.requests import ErasureRequest
from mindstage.stories.beginnings import begin_story
from mindstage.stories.models import Story
from mindstage.vault.clocks import turn_night
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.rotation import rotate
from people import make_person, signed_in_client
from rights.erasures import Life, make_life, pass_nights

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Life:
    return make_life("ada")


def test_whoever_froze_their_account_may_delete_it_without_a_thaw(ada: Life) -> None:
    """One request; a second one changes nothing; after the seventh night all is gone."""
    freeze_account(ada.person.pk)
    request_erasure(ada.person.pk)
    with pytest.raises(AlreadyAsked):
        request_erasure(ada.person.pk)
    assert ErasureRequest.objects.count() == 1
    assert User.objects.get(pk=ada.person.pk).state == "frozen"
    pass_nights(8)
    run_due()
    assert not User.objects.filter(pk=ada.person.pk).exists()
    assert not UserKey.objects.using("keystore").filter(pk=ada.person.pk).exists()


def test_calling_that_off_leaves_the_own_freeze(ada: Life) -> None:
    """The account is as it was before, which is frozen; nothing ends, and its owner thaws it when they like."""
    freeze_account(ada.person.pk)
    request_erasure(ada.person.pk)
    signed_in_client(ada.person).post("/your-data/erasures/end/")
    assert request_of(ada.person.pk) is None
    pass_nights(30)
    assert User.objects.get(pk=ada.person.pk).state == "frozen"
    assert "You froze it yourself" in signed_in_client(ada.person).get("/your-data/").content.decode()
    assert Story.objects.get(pk=ada.story.pk).open("title", Purpose.SHOW)
    assert thaw_account(ada.person.pk)
    request_erasure(ada.person.pk)
    row = request_of(ada.person.pk)
    assert row is not None
    cancel_erasure(row)
    assert User.objects.get(pk=ada.person.pk).is_active


def test_a_thaw_that_crosses_a_request_undoes_no_freeze(ada: Life) -> None:
    """Two windows, two buttons: whoever is handed a claim code has an account that waits for its end."""
    freeze_account(ada.person.pk)
    client = signed_in_client(ada.person)
    crossed: list[str] = []

    def ask_in_the_other_window(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Right after the page has looked for a request, and found none."""
        result = execute(sql, params, many, context)
        if 'FROM "rights_erasurerequest"' in sql and not crossed:
            crossed.append(sql)
            request_erasure(ada.person.pk)
        return result

    with connection.execute_wrapper(ask_in_the_other_window):
        client.post("/your-data/freeze/end/")
    assert crossed
    assert request_of(ada.person.pk) is not None
    assert User.objects.get(pk=ada.person.pk).state == "frozen"


def test_the_page_of_a_frozen_account_leads_there(ada: Life) -> None:
    """With the proof and the handle, as for everybody; once it is asked for, the page tells the day instead."""
    freeze_account(ada.person.pk)
    client = signed_in_client(ada.person)
    assert "/your-data/erasures/" in client.get("/your-data/").content.decode()
    assert client.get("/your-data/erasures/").headers["Location"].startswith("/session/proof/")
    keep_proof(client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert "Type your handle" in client.get("/your-data/erasures/").content.decode()
    assert 'class="claim' in client.post("/your-data/erasures/", {"handle": "ada"}).content.decode()
    back = signed_in_client(ada.person)
    keep_proof(back.cookies[settings.SESSION_COOKIE_NAME].value)
    assert back.get("/your-data/erasures/").headers["Location"] == "/your-data/"
    assert "will be deleted on" in back.get("/your-data/").content.decode()


def test_an_export_goes_on_while_the_account_waits_for_its_end(ada: Life) -> None:
    """Asked for before or in the seven days it is written; with the keys it ends, and none is begun after that."""
    request_erasure(ada.person.pk)
    asked = export.request_export(owner=ada.person.pk)
    export.write_export(asked.pk)
    assert Export.objects.get(pk=asked.pk).state == Export.State.READY
    assert len(list(export.folder().glob("*.export"))) == 1
    pass_nights(8)
    run_due()
    assert not list(export.folder().glob("*"))
    assert not Export.objects.filter(owner=ada.person.pk).exclude(state=Export.State.GONE).exists()
    with pytest.raises(ExportRefused):
        export.request_export(owner=ada.person.pk)
    export.write_export(asked.pk)
    assert not list(export.folder().glob("*"))


def test_no_export_is_begun_once_the_keys_are_going(ada: Life) -> None:
    """From the point of no return on, though the keys still lie there for a moment; what was tried leaves no row."""
    request_erasure(ada.person.pk)
    User.objects.filter(pk=ada.person.pk).update(state=User.State.DESTROYING)
    assert UserKey.objects.using("keystore").filter(pk=ada.person.pk).exists()
    with pytest.raises(ExportRefused) as refused:
        export.request_export(owner=ada.person.pk)
    assert refused.value.sentence == export.NOT_NOW
    assert not Export.objects.exists()


@pytest.mark.parametrize("at", ["README.txt", "account.json", "characters/", "stories/", "the end"])
def test_an_erasure_beside_an_export_that_is_being_written(ada: Life, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row, key and draft vanish at once under the writer, wherever it is: it ends in silence and leaves nothing."""
    asked = request_erasure(ada.person.pk)
    taken = export.request_export(owner=ada.person.pk)
    for _ in range(8):
        turn_night()
    listed, ended = export.list_files, []

    def ending(*given: Any) -> Iterator[Any]:
        for event in listed(*given):
            yield event
            if not ended and getattr(event, "name", "").startswith(at):
                ended.append(run_due())
        if at == "the end":
            ended.append(run_due())

    monkeypatch.setattr(export, "list_files", ending)
    export.write_export(taken.pk)
    assert ended
    assert not list(export.folder().glob("*"))
    assert not Export.objects.exists()
    assert not ItemKey.objects.using("keystore").exists()
    rotate()
    assert run_due() == 1
    row = find_request(asked.claim_code)
    assert row is not None
    assert (row.state, row.findings) == (ErasureRequest.State.DONE, 0)
    assert [finding for holding in holdings() for finding in holding.remains(ada.person.pk)] == []
    monkeypatch.undo()
    export.write_export(taken.pk)
    assert not list(export.folder().glob("*"))


def begin(owner: User) -> None:
    parts = stage_parts_of_starter(starters()[0], "Ada")
    begin_story(owner=owner.pk, parts=parts, greeting=0, persona="Ada")


@pytest.mark.parametrize(
    ("table", "deed"),
    [
        ("stories_story", begin),
        ("library_character", lambda owner: import_character(owner=owner.pk, data=make.to_json(make.v2()))),
        ("rights_export", lambda owner: export.request_export(owner=owner.pk)),
        ("accounts_user", lambda _: make_person("ben")),
    ],
)
def test_the_key_is_there_before_its_row(vault: None, table: str, deed: Callable[[User], Any]) -> None:
    """Counter-example 15: at the moment of the insert the keystore holds as many keys as there will be rows."""
    owner, seen = make_person("ada"), []
    keys = UserKey if table == "accounts_user" else ItemKey
    before = keys.objects.using("keystore").count()

    def look(execute: Any, text: str, params: Any, many: bool, context: Any) -> Any:
        if re.match(rf'INSERT (OR IGNORE )?INTO "?{table}"?', text):
            seen.append(keys.objects.using("keystore").count())
        return execute(text, params, many, context)

    with connection.execute_wrapper(look):
        deed(owner)
    assert seen == [before + 1]
