"""What the operator adds to the policy: who runs this copy, where, whom to write to, what is kept shorter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


class Configured(Protocol):
    """The part of the configuration that the policy prints."""

    @property
    def name(self) -> str: ...
    @property
    def operator(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def contact_data_protection(self) -> str: ...
    @property
    def contact_privacy(self) -> str: ...
    @property
    def contact_security(self) -> str: ...
    @property
    def retention(self) -> Mapping[str, int]: ...
    @property
    def providers(self) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class Provider:
    """One narrator that is not the program's own. `here`: its model runs on this machine and nothing leaves."""

    name: str
    region: str
    here: bool
    retains: str
    trains: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts, each in words that can be printed. An operator who named no one is "whoever runs this copy"."""

    name: str
    operator: str
    region: str
    contact_data_protection: str = ""
    contact_privacy: str = ""
    contact_security: str = ""
    providers: tuple[Provider, ...] = ()
    retention: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, configured: Configured) -> Facts:
        """The facts of a configuration."""
        return cls(
            name=configured.name,
            operator=configured.operator or (configured.name if configured.name != "this machine" else ""),
            region=configured.region,
            contact_data_protection=configured.contact_data_protection,
            contact_privacy=configured.contact_privacy or configured.contact_data_protection,
            contact_security=configured.contact_security or configured.contact_data_protection,
            providers=tuple(_provider(entry) for entry in configured.providers),
            retention=dict(configured.retention),
        )

    @property
    def who(self) -> str:
        return self.operator or "Whoever runs this copy"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _provider(entry: Any) -> Provider:
    here = entry.kind == "embedded"
    return Provider(
        name=entry.id,
        region="this machine" if here else entry.region,
        here=here,
        retains="nothing" if here else entry.retains,
        trains="no" if here else entry.trains,
    )
