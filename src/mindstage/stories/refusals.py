"""Why an act on a story was not done. Each says so in a sentence, and leaves everything as it was."""

from __future__ import annotations

from mindstage.library.stage_texts import Unstorable as Unstorable
from mindstage.streaming.raw import Refused as Refused


class NotSignedIn(Refused):
    status = 401
    sentence = "You are logged out. Your line is kept here; log in again in another tab, then send it once more."


class NotYours(Refused):
    status = 404
    sentence = "This story does not exist, or it is not yours to open."


class StillRunning(Refused):
    status = 409
    sentence = "The narrator is still writing. Your line is kept; send it when the reply has ended, or stop it first."


class TooManyReplies(Refused):
    status = 429
    sentence = (
        "The narrator is writing as many replies for you as this Mindstage allows at once. Your line is kept; send it "
        "when one of them has ended, or stop one first."
    )


class TooOften(Refused):
    status = 429


class EmptyTurn(Refused):
    sentence = "There is nothing to play yet. Write a line, or press Continue to let the narrator go on."


class TurnTooLong(Refused):
    status = 413
    sentence = "This line is too long for one turn (16,000 characters at most). It is kept here; please split it."


class DraftTooLong(Refused):
    status = 413
    sentence = (
        "This line is longer than a draft may be (100,000 characters), so it is not saved. Its words stay in the box "
        "as long as this tab is open; please split it, or keep a copy elsewhere."
    )


class CannotStore(Refused):
    status = 503
    sentence = "This machine could not save just now (its disk may be full or busy). Your line is kept; try again soon."


class MayBeStored(Refused):
    status = 503
    sentence = (
        "The disk of this machine did not confirm that it saved this. Your line is kept in this box; reload the story "
        "in a moment to see whether it stands there too, before you send it again."
    )


class KeyLost(Refused):
    status = 409
    sentence = (
        "The key of this story is gone, so it can be neither read nor written. It was deleted, or lost in a restore."
    )


class AccountEnded(Refused):
    status = 409
    sentence = "This account is no longer active. No story was begun. Log in again to see how it stands."


class OpeningChanged(Refused):
    status = 409
    sentence = (
        "The opening that you chose was changed or removed on another page meanwhile. No story was begun. Go back, "
        "reload the page, and choose from what stands there now."
    )


class TextDamaged(Refused):
    status = 500
    sentence = (
        "A text of this story does not open: its bytes were changed, or moved here from somewhere else. Nothing was "
        "changed by looking; whoever runs this copy should check its disk, and a backup may hold it whole."
    )
