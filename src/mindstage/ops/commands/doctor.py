"""`mindstage doctor`: explain the set-up and find its mistakes. It changes nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mindstage.kit.words import as_typed
from mindstage.ops.instance import Instance

if TYPE_CHECKING:
    from mindstage.ops.findings import Finding

EXPLAINS_MISTAKES: Final = True
"""Mistakes that stop other commands are this one's findings."""

_MARKS: Final = {"ok": "ok      ", "warning": "warning ", "mistake": "MISTAKE "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address that serve listens on")
    parser.add_argument("--port", type=int, help="the port that serve listens on")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, instance: Instance) -> int:
    """Exit code 0: fine, perhaps with warnings; 2: at least one mistake."""
    import django

    django.setup()
    from mindstage.ops.doctor import examine

    return _say(examine(instance), as_json=options.json)


def explain(options: argparse.Namespace, mistake: Exception) -> int:
    """The configuration cannot even be read: that is then the one finding."""
    from mindstage.ops.findings import Finding

    return _say([Finding("configuration", "mistake", str(mistake))], as_json=options.json)


def _say(findings: Sequence[Finding], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps([finding.as_json() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(as_typed(f"{_MARKS[finding.level]}{finding.name}: {finding.sentence}"))
            if finding.next_step:
                print(as_typed(f"        {finding.next_step}"))
    return 2 if any(finding.level == "mistake" for finding in findings) else 0
