"""Where a text is opened, its person's no is kept: whoever writes a feature later cannot get around it."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from mindstage.accounts.models import User
from mindstage.datamap.reading import DataMap, data_map
from mindstage.rights import versions
from mindstage.rights.consents import give, withdraw
from mindstage.stories.models import Story
from mindstage.vault import fields
from mindstage.vault.fields import NotPermitted, PurposeRefused, allow
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from people import make_person
from publishing import Press
from rights.erasures import Life, make_life

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Life:
    return make_life("ada")


def opens(life: Life, purpose: Purpose) -> bool:
    """Whether her title opens for that purpose, by the one way there is to open it."""
    try:
        return bool(Story.objects.get(pk=life.story.pk).open("title", purpose))
    except NotPermitted:
        return False


def test_what_stands_under_a_consent_opens_with_a_yes_alone(ada: Life, press: Press) -> None:
    """Her no shuts it for the use, at once; hers to see and to take along it stays. Ben's answer is Ben's."""
    ben = make_life("ben")
    press.change("entry", "story", consent="improvement")
    press.publish()
    assert not opens(ada, Purpose.NARRATE)
    give(person=ada.person.pk, purpose="improvement")
    assert opens(ada, Purpose.NARRATE)
    assert not opens(ben, Purpose.NARRATE)
    withdraw(person=ada.person.pk, purpose="improvement")
    assert not opens(ada, Purpose.NARRATE)
    assert opens(ada, Purpose.SHOW)
    assert opens(ada, Purpose.EXPORT)


def test_a_default_counts_until_it_is_answered(ada: Life, press: Press) -> None:
    """A use that begins switched on opens; once it means something else, it does not."""
    press.change("entry", "story", consent="personalisation")
    assert not opens(ada, Purpose.NARRATE)  # the program would do what no version has said yet
    press.publish()
    give(person=ada.person.pk, purpose="personalisation")
    assert opens(ada, Purpose.NARRATE)
    press.change("consent", "personalisation", purpose="dpv:Marketing")
    assert not opens(ada, Purpose.NARRATE)


def test_a_changed_purpose_is_not_begun_unasked(ada: Life, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new use of something old is refused to every person until they say yes; the old use goes on."""
    versions.note_versions()
    story = data_map().entries["story"]
    known = story.opened_for - {Purpose.IMPORT}
    wider = replace(story, purpose="dpv:ServiceOptimisation", opened_for=known | {Purpose.IMPORT})
    declared = data_map()
    planted = DataMap(
        {**declared.entries, "story": wider}, declared.stores, declared.doors, declared.impersonal, declared.consents
    )
    monkeypatch.setattr(fields, "data_map", lambda: planted)
    press.change("entry", "story", purpose="dpv:ServiceOptimisation", opened_for=sorted(wider.opened_for))
    press.publish(says="Stories are counted now.")
    assert not opens(ada, Purpose.IMPORT)
    assert opens(ada, Purpose.NARRATE)
    give(person=ada.person.pk, purpose="entry:story@2")
    assert opens(ada, Purpose.IMPORT)
    withdraw(person=ada.person.pk, purpose="entry:story@2")
    assert not opens(ada, Purpose.IMPORT)


def test_a_frozen_person_has_said_yes_to_nothing(ada: Life, press: Press) -> None:
    """Restriction is stronger than any yes."""
    press.change("entry", "story", consent="improvement")
    press.publish()
    give(person=ada.person.pk, purpose="improvement")
    User.objects.filter(pk=ada.person.pk).update(state=User.State.FROZEN)
    assert not opens(ada, Purpose.NARRATE)


def test_nobody_is_asked_for_what_belongs_to_nobody(ada: Life, press: Press) -> None:
    """Without a key's owner there is no yes; and a purpose that the map does not know is refused as before."""
    press.change("entry", "story", consent="improvement")
    press.publish()
    with pytest.raises(NotPermitted):
        allow("story", Purpose.NARRATE)
    with pytest.raises(KeyGone):
        allow("story", Purpose.NARRATE, keyed_to=uuid.uuid4())
    with pytest.raises(PurposeRefused):
        allow("story", Purpose.NOTIFY, keyed_to=ada.story.pk)


def test_nothing_is_asked_where_nothing_waits(ada: Life, django_assert_num_queries: object) -> None:
    """On the path of a turn an opening costs no query more than before."""
    make_person("ben")
    with django_assert_num_queries(0):  # type: ignore[operator]
        allow("story", Purpose.NARRATE, keyed_to=ada.story.pk)
