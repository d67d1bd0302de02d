"""The program's own settings, for an instance in a temporary folder that ends with the test run.

It stands between the tests and the real settings so that no test can ever open the data of whoever runs them. With
TEST_POSTGRES (postgresql://user@host:port) both databases lie on that server, under names of this run, and end with it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where every sync is free; else wherever temporary files lie. What a lost sync would cost is tried in tests/vault."""
FOLDER = Path(tempfile.mkdtemp(prefix="mindstage-tests-", dir=FAST))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
for _name in ("data", "keys", "data/database", "data/keystore"):
    (FOLDER / _name).mkdir(mode=0o700)
(FOLDER / "mindstage.toml").touch()
OF_TESTS = ("MINDSTAGE_CHROMIUM", "MINDSTAGE_SCREENSHOTS")  # said to the tests themselves, not to the program
for _key in [key for key in os.environ if key.startswith("MINDSTAGE_") and key not in OF_TESTS]:
    del os.environ[_key]
os.environ["MINDSTAGE_CONFIG"] = str(FOLDER / "mindstage.toml")
os.environ["MINDSTAGE_DATA"] = str(FOLDER / "data")
os.environ["MINDSTAGE_KEYS"] = str(FOLDER / "keys")
SERVER = urlsplit(os.environ.get("TEST_POSTGRES", ""))._replace(path="").geturl()
_NAMES = [f"mindstage_{os.environ.get('PYTEST_XDIST_TESTRUNUID', str(os.getpid()))[:8]}{of}" for of in ("", "_keys")]
if SERVER:
    # pytest-django appends each worker's name to the names below, so that the addresses are those of its databases.
    _worker = f"_{os.environ['PYTEST_XDIST_WORKER']}" if "PYTEST_XDIST_WORKER" in os.environ else ""
    os.environ["MINDSTAGE_DATABASE_URL"], os.environ["MINDSTAGE_KEYSTORE_URL"] = (
        f"{SERVER}/{name}{_worker}" for name in _NAMES
    )

from mindstage.config.settings import *  # noqa: E402, F403

if SERVER:
    for _alias, _name in zip(("default", "keystore"), _NAMES, strict=True):
        DATABASES[_alias]["TEST"] = {"NAME": _name}  # noqa: F405
else:
    # As the program lays its file out (ops/schema.py); the framework makes the databases of tests itself.
    _options = DATABASES["default"]["OPTIONS"]  # noqa: F405
    _options["init_command"] = f"PRAGMA auto_vacuum = INCREMENTAL;{_options['init_command']}"

PASSWORD_HASHERS = ["cheap_hasher.CheapArgon2PasswordHasher"]
