"""`mindstage policy`: release a version of the data policy, see what changed, print the record of processing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from mindstage.datamap.content import present
from mindstage.datamap.differences import Difference, changed_purposes, compare
from mindstage.datamap.facts import Facts
from mindstage.datamap.reading import MapFault
from mindstage.datamap.record import record_of_processing, to_markdown
from mindstage.datamap.releases import coming, coming_differences, freeze, releases, write_release
from mindstage.kit import clock
from mindstage.ops.mistakes import StartMistake

EXPLAINS_MISTAKES: Final = True
"""It touches no data of an instance."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    release = acts.add_parser("release", help="freeze the map as the next version (for developers)")
    release.add_argument("--effective", type=date.fromisoformat, metavar="DAY", help="the day from which it holds")
    release.add_argument("--dry-run", action="store_true", help="say what would be released, and write nothing")
    diff = acts.add_parser("diff", help="what differs between two versions, or since the last one")
    diff.add_argument("old", type=int, nargs="?", help="a version; without it, the last one")
    diff.add_argument("new", type=int, nargs="?", help="a later version; without it, this program as it is")
    record = acts.add_parser("record", help="the record of processing activities (GDPR Art. 30)")
    for each in (diff, record):
        each.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, configuration: Any) -> int:
    """Exit code 0; a fault of the map or of the releases is a StartMistake."""
    acts = {"release": _release, "diff": _diff, "record": _record}
    try:
        return acts[options.act](options, configuration)
    except MapFault as fault:
        raise StartMistake(f"{fault}.") from None


def _release(options: argparse.Namespace, configuration: Any) -> int:  # noqa: ARG001 - every act is called alike
    done = releases()
    frozen = freeze(done, present(), coming(), today=clock.today(), effective=options.effective)
    differences = coming_differences()
    written = None if options.dry_run else write_release(frozen)
    print(f"Version {frozen['number']}, made on {frozen['made_on']}, in force from {frozen['effective_on']}.")
    for line in frozen["summary"]:
        print(f"  {line}")
    _print_differences(differences)
    for found in changed_purposes(differences):
        print(f"Everybody is asked again, or told 30 days before: {found.of} ({found.key}).")
    print(f"Written to {written}." if written else "Nothing was written.")
    return 0


def _diff(options: argparse.Namespace, configuration: Any) -> int:  # noqa: ARG001
    done = releases()
    numbers = [number for number in (options.old, options.new) if number is not None]
    if any(not 1 <= number <= len(done) for number in numbers):
        raise MapFault(f"There are versions 1 to {len(done)}")
    if not done:
        raise MapFault("No version was released yet")
    old = done[(options.old or len(done)) - 1].content
    new = done[options.new - 1].content if options.new else present()
    differences = compare(old, new)
    if options.json:
        print(json.dumps([found.as_json() for found in differences], indent=2, ensure_ascii=False))
    else:
        _print_differences(differences)
    return 0


def _record(options: argparse.Namespace, configuration: Any) -> int:
    done = releases()
    content = done[-1].content if done else present()
    record = record_of_processing(content, Facts.of(configuration), number=len(done))
    print(
        json.dumps(record, indent=2, ensure_ascii=False) if options.json else to_markdown(record),
        end="\n" * options.json,
    )
    return 0


def _print_differences(differences: Sequence[Difference]) -> None:
    for found in differences:
        print(f"{found.how:8} {found.of}{f' {found.key}' if found.key else ''}")
        for mark, value in (("-", found.before), ("+", found.after)):
            if found.key and value not in (None, "", []):
                print(f"  {mark} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    if not differences:
        print("Nothing differs.")
