"""Exports for tests: made whole, in memory, and read again by code that shares nothing with the exporter."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

from mindstage.accounts.models import User
from mindstage.ledger import signing
from mindstage.rights import export
from mindstage.rights.export_models import Export
from mindstage.rights.importing import Brought, bring_archive
from mindstage.stories import revisions
from mindstage.stories.models import Story, Turn
from stories.scenes import fork, make_story

SEED = bytes(range(32))
"""Of a key that no instance has."""


def take_out(person: User, *, recipient: str = "") -> bytes:
    """A person's archive, asked for and written like a worker would, then forgotten by the instance."""
    asked = export.request_export(owner=person.pk, recipient=recipient)
    export.write_export(asked.pk)
    ready = export.find_ready(person.pk, asked.pk)
    assert ready is not None
    content = b"".join(export.read_export(ready))
    assert len(content) == ready.size
    export.discard_file(asked.pk)
    Export.objects.all().delete()
    return content


def unzip(archive: bytes) -> dict[str, bytes]:
    """Every file of an archive by its name."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def one(files: dict[str, bytes], ending: str) -> bytes:
    """The only file whose name ends so."""
    (found,) = [content for name, content in files.items() if name.endswith(ending)]
    return found


def turns_of(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """Every turn of every story."""
    parts = [content for name, content in sorted(files.items()) if "/turns-" in name]
    return [turn for part in parts for turn in json.loads(part)["turns"]]


def resign(files: dict[str, bytes], **manifest: Any) -> bytes:
    """An archive of these files with a manifest of theirs, as a program that writes more than ours would sign it."""
    was = json.loads(files["manifest.json"])
    for line in was["files"]:
        content = files[line["path"]]
        line |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    signed = json.dumps(was | manifest).encode()
    signature = {
        "algorithm": "Ed25519",
        "key": signing.to_text(signing.public_key(SEED)),
        "signature": signing.to_text(signing.sign(signed, seed=SEED)),
    }
    return rezip(files | {"manifest.json": signed, "signature.json": json.dumps(signature).encode()})


def rezip(files: dict[str, bytes], *, packed: bool = True) -> bytes:
    """An archive of these files, by another program's hand."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def bring(person: User, content: bytes) -> Brought:
    return bring_archive(owner=person.pk, file=io.BytesIO(content))


def empty_exports() -> None:
    """Leave nothing of a test in the folder of exports."""
    for path in export.folder().glob("*"):
        path.unlink()


def play(ada: User) -> Story:
    """A story with versions, a branch, and a turn in the trash."""
    story = make_story(ada, turns=8)
    turn = Turn.objects.get(story=story, position=2)
    revisions.add_version(turn=turn, text="Another *wording* <b>of</b> the line \x0b & more.")
    revisions.trash_turn(turn=Turn.objects.get(story=story, position=7))
    assert story.head
    branch = fork(story, parent=story.head, at=4, count=3)
    assert branch.parent_id
    return story
