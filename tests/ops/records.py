"""A record of each kind that ends by a clock, begun now, for the tests of those clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from mindstage.accounts.access_counts import AccessCount, note_opening, store_counts
from mindstage.accounts.doorsteps import Step, make_doorstep
from mindstage.accounts.models import Doorstep, Notice, Session
from mindstage.accounts.notices import notify
from mindstage.accounts.sessions import begin_session
from mindstage.gateway.models import Sending
from mindstage.gateway.sendings import note_sending
from mindstage.kit import clock
from mindstage.library.materials import make_material
from mindstage.library.trash import trash_item
from mindstage.ops.models import Job
from mindstage.rights.erasure import request_erasure
from mindstage.rights.models import ErasureRequest, Export
from mindstage.stories import revisions
from mindstage.stories.drafts import save_draft
from mindstage.stories.models import Draft, Turn
from mindstage.stories.trash import trash_story
from mindstage.vault.backup_keys import make_backup_key
from mindstage.vault.clocks import slow_date
from mindstage.vault.models import ReservedHandle
from mindstage.vault.purposes import Purpose
from people import make_person
from providers import remote
from rights.erasures import make_life

DAY = timedelta(days=1)


def begin_browser() -> Callable[[], bool]:
    begin_session(make_person("ada"), "phone")
    # in use all the time: only the 30 days end it
    Session.objects.update(seen=clock.now() + 40 * DAY)
    return Session.objects.exists


def leave_browser() -> Callable[[], bool]:
    begin_session(make_person("ada"), "phone")
    return Session.objects.exists


def knock() -> Callable[[], bool]:
    make_doorstep(Step.SECOND_FACTOR)
    return Doorstep.objects.exists


def wait_for_export() -> Callable[[], bool]:
    Export.objects.create(owner=make_person("ada"), state=Export.State.READY, ready_at=clock.now())
    return Export.objects.exists


def fail_job() -> Callable[[], bool]:
    Job.objects.create(task="x", state=Job.State.FAILED, due_at=clock.now())
    return Job.objects.exists


def type_draft() -> Callable[[], bool]:
    save_draft(story=make_life("ada").story, mode="do", text="I wait.")
    return Draft.objects.exists


def tell() -> Callable[[], bool]:
    person = make_person("ada")
    Notice.objects.all().delete()
    notify(account=person, text="Your passphrase was changed.")
    return Notice.objects.exists


def open_something() -> Callable[[], bool]:
    person = make_person("ada")
    store_counts()
    AccessCount.objects.all().delete()
    note_opening(person.pk, Purpose.SHOW)
    store_counts()
    return AccessCount.objects.exists


def send() -> Callable[[], bool]:
    note_sending(make_person("ada").pk, remote())
    return Sending.objects.exists


def trash_a_story() -> None:
    trash_story(story=make_life("ada").story)


def trash_a_turn() -> None:
    life = make_life("ada")
    reply = Turn(story=life.story, segment=life.story.head, position=1, kind=Turn.Kind.REPLY).seal(text="Rain.")
    reply.save(force_insert=True)
    revisions.trash_turn(turn=reply)


def trash_a_character() -> None:
    trash_item(make_life("ada").character)


def trash_a_material() -> None:
    trash_item(make_material(owner=make_person("ada").pk, kind="persona", name="Mara"))


def ask_to_go() -> None:
    request_erasure(make_person("ada").pk)


def finish_going() -> None:
    ask_to_go()
    ErasureRequest.objects.update(state="done", completed_on=slow_date())


def reserve() -> None:
    ReservedHandle.objects.using("keystore").create(tag=b"a tag", until=slow_date() + 30 * DAY)


def stay_unused() -> None:
    begin_session(make_person("ada"), "phone")
    Session.objects.update(born=clock.now() + 30 * DAY)


def fail_export() -> None:
    Export.objects.create(owner=make_person("ada"), state=Export.State.FAILED)


RECORDS: dict[str, list[Callable[[], object]]] = {
    "session": [begin_browser],
    "session_unused": [stay_unused],
    "doorstep": [knock],
    "draft": [type_draft],
    "trash_story": [trash_a_story],
    "trash_turn": [trash_a_turn],
    "trash_character": [trash_a_character],
    "trash_material": [trash_a_material],
    "account": [ask_to_go],
    "receipt": [finish_going],
    "reserved_handle": [reserve],
    "access_count": [open_something],
    "sending": [send],
    "notice": [tell],
    "export": [wait_for_export, fail_export],
    "failed_job": [fail_job],
    "backup": [make_backup_key],
}
"""Category -> how a record of it begins now."""
