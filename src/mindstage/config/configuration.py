"""Where this instance keeps its data and how it is reached: defaults, `mindstage.toml`, environment, command line."""

from __future__ import annotations

import math
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import tzinfo
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_config_path, user_data_path

from mindstage.datamap.retention import KeptTooLong, refuse_longer
from mindstage.kit import clock
from mindstage.kit.addresses import EVERYWHERE, address_to_open

APP = "mindstage"
ROOT_KEY = "root.key"


class ConfigurationMistake(Exception):
    """The configuration cannot be used. Its text is one sentence for whoever started the program."""


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """One `[[provider]]` of mindstage.toml. The key itself stays in the environment variable `api_key_env`."""

    id: str
    kind: Literal["openai", "embedded"] = "openai"
    base_url: str = ""
    api_key_env: str = ""
    models: tuple[str, ...] = ()
    region: str = ""
    retains: str = ""
    trains: str = ""
    path: str = ""
    context: int = 8192


LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The facts of this instance.

    Paths are absolute.
    `stall_seconds`: how long a silent provider is waited for.
    `time_zone`: where the instance stands, for stories that ask for the time; people's own zones are not known.
    `replies_at_once`: how many replies one person may have running, so that nobody takes a provider for themselves.
    """

    data_dir: Path
    keys_dir: Path
    host: str = "127.0.0.1"
    port: int = 8470
    name: str = "this machine"
    allowed_hosts: tuple[str, ...] = ()
    address: str = ""
    """Where people reach this instance, for letters: "https://stage.example.org". Empty: `site` works it out."""
    database_url: str = field(default="", repr=False)
    keystore_url: str = field(default="", repr=False)
    debug: bool = False
    stall_seconds: float = 60.0
    narrator_threads: int = 0
    replies_at_once: int = 4
    time_zone: tzinfo = field(default_factory=clock.machine_zone)
    escrow: str = ""
    backups: str = ""
    mail: str = field(default="", repr=False)
    """The mail server, as config/mail.py reads it. It may hold a password: rather set MINDSTAGE_MAIL."""
    mail_from: str = ""
    proxy: str = ""
    """The address of a reverse proxy that speaks HTTPS and is believed: docs/https-at-home.md."""
    operator: str = ""
    region: str = "United States"
    contact_data_protection: str = ""
    contact_privacy: str = ""
    contact_security: str = ""
    retention: Mapping[str, int] = field(default_factory=dict)
    """Days, where this instance keeps something for a shorter time than the policy promises: datamap/retention.py."""
    providers: tuple[ProviderEntry, ...] = ()
    config_file: Path | None = None

    @property
    def serves_others(self) -> bool:
        """Whether anybody but this machine can come here: over its network, or by a name that a proxy passes on."""
        return self.host not in LOOPBACK or bool(self.proxy) or any(self.allowed_hosts)

    @property
    def answers_to_no_name(self) -> bool:
        """Whether it listens to the whole network, and refuses every name and address by which it is reached there."""
        return self.host in EVERYWHERE and not any(self.allowed_hosts)

    @property
    def has_root_key_inside_data(self) -> bool:
        """Whether the root key's folder, the file that it is a link to, or a copy of either lies with the data."""
        data = self.data_dir.resolve()
        linked = (self.keys_dir, self.keys_dir / ROOT_KEY)
        return any(place.resolve().is_relative_to(data) for place in linked) or any(data.rglob(ROOT_KEY))

    @property
    def site(self) -> str:
        """The address of the first page, with its last slash: as written, or of the first name that is answered to."""
        name = next((host for host in self.allowed_hosts if not host.startswith(("*", "."))), self.host)
        found = f"https://{name}" if self.proxy else address_to_open(name, self.port)
        return f"{(self.address or found).rstrip('/')}/"

    @property
    def escrow_dir(self) -> Path:
        """Where the second copy of the epoch file lies: another disk, if it is to survive the first."""
        return Path(self.escrow).expanduser().absolute() if self.escrow else _beside(self.keys_dir, "escrow")

    @property
    def backups_dir(self) -> Path:
        return Path(self.backups).expanduser().absolute() if self.backups else _beside(self.data_dir, "backups")

    @property
    def ledger_dir(self) -> Path:
        return self.data_dir / "ledger"

    @property
    def receipts_dir(self) -> Path:
        return self.ledger_dir / "receipts"

    @property
    def exports_dir(self) -> Path:
        return self.data_dir / "exports"

    @property
    def models_dir(self) -> Path:
        return self.data_dir / "models"

    @property
    def database_file(self) -> Path:
        return self.data_dir / "database" / "mindstage.sqlite3"

    @property
    def keystore_file(self) -> Path:
        return self.data_dir / "keystore" / "keystore.sqlite3"


def load(environ: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration: environment `MINDSTAGE_*` over mindstage.toml over defaults. Raises ConfigurationMistake."""
    config_file = _config_file(environ)
    written = _read(config_file)
    providers = tuple(_provider(entry) for entry in _tables(written, config_file))
    if len({entry.id for entry in providers}) < len(providers):
        raise ConfigurationMistake(f"{config_file}: two [[provider]] tables have the same id.")
    known = {field.name for field in fields(Configuration)} - {"providers", "config_file"}
    if unknown := sorted(set(written) - known):
        raise ConfigurationMistake(f"{config_file} has a setting that Mindstage does not know: {unknown[0]}.")
    values: dict[str, Any] = {**_defaults(), **written}
    values |= {name: environ[key] for name in known if (key := f"MINDSTAGE_{name.upper()}") in environ}
    values |= {name: environ[key] for name, key in _SHORT.items() if key in environ}
    typed = {name: _typed(name, value) for name, value in values.items()}
    _refuse_longer_retention(typed.get("retention", {}))
    return replace(Configuration(**typed), providers=providers, config_file=config_file)


_SHORT = {"data_dir": "MINDSTAGE_DATA", "keys_dir": "MINDSTAGE_KEYS"}


def _refuse_longer_retention(chosen: Mapping[str, int]) -> None:
    """The policy says how long things are kept at most, and an instance may only be stricter."""
    try:
        refuse_longer(chosen)
    except KeptTooLong as mistake:
        raise ConfigurationMistake(str(mistake)) from None


def refuse_keys_inside_data(configuration: Configuration) -> None:
    """A root key that lies with the data protects nothing: raises ConfigurationMistake."""
    if configuration.has_root_key_inside_data:
        data = configuration.data_dir.resolve()
        raise ConfigurationMistake(
            f"The root key would lie inside the data folder ({data}), where every copy of the data would carry it; "
            "set MINDSTAGE_KEYS (or keys_dir in mindstage.toml) to a folder elsewhere."
        )


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f"{folder.name}-{what}")


def _config_file(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("MINDSTAGE_CONFIG"):
        if not _is_file(Path(named)):
            raise ConfigurationMistake(f"The configuration file {named} does not exist.")
        return Path(named)
    for candidate in (Path("mindstage.toml"), user_config_path(APP) / "mindstage.toml"):
        if _is_file(candidate):
            return candidate.resolve()
    return None


def _is_file(path: Path) -> bool:
    """Not `Path.is_file`: a file that this account may not look for is no file that is not there."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        raise ConfigurationMistake(
            f"{path.absolute()} cannot be looked for by this program's user; start it elsewhere, correct HOME, or name "
            "the configuration file in MINDSTAGE_CONFIG."
        ) from None


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationMistake(f"{path} is not valid TOML: {error}.") from None
    except OSError:
        raise ConfigurationMistake(f"{path} cannot be read.") from None


def _tables(written: dict[str, Any], path: Path | None) -> list[dict[str, Any]]:
    tables = written.pop("provider", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationMistake(f"{path}: providers are written as [[provider]] tables.")
    return tables


def _provider(table: dict[str, Any]) -> ProviderEntry:
    known = {field.name for field in fields(ProviderEntry)}
    name = table.get("id", "?")
    if unknown := sorted(set(table) - known):
        raise ConfigurationMistake(f"[[provider]] {name} has a setting that Mindstage does not know: {unknown[0]}.")
    for key, value in table.items():
        if not _fits(key, value):
            raise ConfigurationMistake(f"[[provider]] {name}: {key} {_SHAPES.get(key, 'must be text, in quotes')}.")
    entry = ProviderEntry(**{**table, "models": tuple(table.get("models", ()))})
    if not entry.id or entry.kind not in ("openai", "embedded"):
        raise ConfigurationMistake(f"[[provider]] {name} needs an id and a kind: openai or embedded.")
    if entry.kind == "openai" and not entry.base_url.startswith(("http://", "https://")):
        raise ConfigurationMistake(f"[[provider]] {name} needs a base_url that begins with http:// or https://.")
    if entry.kind == "openai" and not entry.models:
        raise ConfigurationMistake(f"[[provider]] {name} needs at least one name in models.")
    if entry.kind == "embedded" and not entry.path:
        raise ConfigurationMistake(f"[[provider]] {name} needs the path of a GGUF file.")
    return entry


_SHAPES = {"models": 'must be a list of names: ["one", "two"]', "context": "must be a number of tokens, at least 512"}


def _fits(key: str, value: Any) -> bool:
    """Whether a value of a `[[provider]]` table has the shape that its setting needs."""
    if key == "models":
        return isinstance(value, list) and all(isinstance(model, str) and model for model in value)
    if key == "context":
        return type(value) is int and value >= 512
    return isinstance(value, str)


def _defaults() -> dict[str, Any]:
    return {"data_dir": user_data_path(APP), "keys_dir": user_config_path(APP) / "keys"}


def _typed(name: str, value: Any) -> Any:
    kinds: dict[str, Any] = {
        "data_dir": _folder,
        "keys_dir": _folder,
        "escrow": lambda v: str(_folder(v)) if v else "",
        "backups": lambda v: str(_folder(v)) if v else "",
        "host": _host,
        "port": _port,
        "allowed_hosts": lambda v: tuple(v.split(",")) if isinstance(v, str) else tuple(map(_text, v)),
        "address": _web_address,
        "debug": _yes,
        "stall_seconds": _seconds,
        "database_url": _server,
        "keystore_url": _server,
        "narrator_threads": _whole,
        "replies_at_once": _at_least_one,
        "retention": _retention,
        "time_zone": _zone,
        "mail": str,  # read by config/mail.py, which repeats none of it
    }
    try:
        return kinds.get(name, _text)(value)
    except (TypeError, ValueError):
        if name in _MAY_HOLD_A_PASSWORD:
            raise ConfigurationMistake(f"The setting {name} is an address like {_SERVER}.") from None
        raise ConfigurationMistake(f"The setting {name} cannot be {value!r}.") from None


_MAY_HOLD_A_PASSWORD = ("database_url", "keystore_url")
_SERVER = "postgresql://name:password@db.example:5432/mindstage"


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return value


def _folder(value: Any) -> Path:
    """An absolute path. Nothing is no folder: it would be the one in which somebody stood when they started this."""
    written = str(value) if isinstance(value, Path) else _text(value)
    if not written:
        raise ValueError
    try:
        return Path(written).expanduser().absolute()
    except RuntimeError:  # the home of somebody whom this machine does not know
        raise ValueError from None


def _host(value: Any) -> str:
    if not (host := _text(value)):
        raise ValueError
    return host


def _whole(value: Any) -> int:
    """A whole number, in digits or as TOML writes it: no truth and no fraction is rounded to one."""
    if isinstance(value, bool | float):
        raise ValueError
    return int(value)


def _zone(value: Any) -> tzinfo:
    """A zone by its name in the IANA's list."""
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError from None


def _retention(value: Any) -> dict[str, int]:
    """`[retention]` of mindstage.toml, or MINDSTAGE_RETENTION as "session=14,draft=7"."""
    if isinstance(value, str):
        value = dict(pair.split("=") for pair in value.split(",") if pair)
    if not isinstance(value, dict):
        raise ValueError
    return {str(name): _whole(days) for name, days in value.items()}


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError
    return seconds


def _at_least_one(value: Any) -> int:
    number = _whole(value)
    if number < 1:
        raise ValueError
    return number


def _server(value: Any) -> str:
    """The address of a PostgreSQL server, or nothing. Its driver is an extra of the package."""
    url = str(value)
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise ValueError
    _ = urlsplit(url).port  # raises ValueError where it is no number
    if url and find_spec("psycopg") is None:
        raise ConfigurationMistake("A database server needs its driver: install mindstage[postgres] and start again.")
    return url


def _web_address(value: Any) -> str:
    address = str(value)
    if address and not address.startswith(("http://", "https://")):
        raise ValueError
    return address


def _yes(value: Any) -> bool:
    word = str(value).lower()
    if word not in ("1", "true", "yes", "", "0", "false", "no"):
        raise ValueError
    return word in ("1", "true", "yes")


def _port(value: Any) -> int:
    port = _whole(value)
    if not 0 <= port <= 65535:
        raise ValueError
    return port
