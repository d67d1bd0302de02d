"""The program's own settings but for one: a locked SQLite database is waited for a moment, not for ten seconds."""

from mindstage.config.settings import *  # noqa: F403

for _database in DATABASES.values():  # noqa: F405
    if "timeout" in _database["OPTIONS"]:
        _database["OPTIONS"]["timeout"] = 0.1
