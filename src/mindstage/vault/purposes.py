"""Why a sealed text may be opened. The data map says which purposes each entry allows."""

from enum import StrEnum


class Purpose(StrEnum):
    """A reason to open, named where the opening happens."""

    SIGN_IN = "sign_in"
    """To know again who comes back: the handle in the head of a page, the session's own content."""
    SHOW = "show"
    """To show people what is theirs, on their own page."""
    NARRATE = "narrate"
    """To build the prompt of a reply that its author asked for."""
    IMPORT = "import"
    """To begin a story from what its owner brought."""
    NOTIFY = "notify"
    """To write to the address that the person gave for it."""
    EXPORT = "export"
    """To hand people a copy of what is theirs, because they asked for it."""
    VERIFY = "verify"
    """To see that it does not open any more, once its keys are destroyed. What opened would be an alarm."""
