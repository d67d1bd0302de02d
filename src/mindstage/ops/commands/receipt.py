"""`mindstage receipt verify FILE --key KEYFILE`: check what an instance signed, without any instance or network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

EXPLAINS_MISTAKES = True
MOST = 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    verify = acts.add_parser("verify", help="is it whole, and did the holder of this key sign it?")
    what = "a receipt of deletion as it was downloaded, a report of a restore or a census, or a head of the ledger"
    verify.add_argument("file", type=Path, metavar="FILE", help=what)
    key = "the instance's public key, as /.well-known/mindstage-signing-key gave it"
    verify.add_argument("--key", type=Path, required=True, metavar="KEYFILE", help=key)
    handle = "open the commitment: is this receipt about this handle? Asks for the number that the receipt page showed"
    verify.add_argument("--handle", default="", metavar="HANDLE", help=handle)


def run(options: argparse.Namespace, configuration: Any) -> int:  # noqa: ARG001 - every command is called alike
    """0: genuine. 1: not. 2: a file cannot be read."""
    from mindstage.ledger.signed import CENSUS, HEAD, RESTORE, NotGenuine, check_json

    try:
        content = options.file.read_bytes()[:MOST]
        key = options.key.read_text("ascii", "replace")[:MOST]
    except OSError as problem:
        print(f"{problem.filename} cannot be read; nothing was checked.", file=sys.stderr)
        return 2
    try:
        said = check_json(content, key=key)
        if said["format"] == RESTORE:
            return _tell_restore(said)
        if said["format"] == CENSUS:
            return _tell_census(said)
        if said["format"] == HEAD:
            return _tell_head(said)
        return _tell_receipt(content, key, options.handle)
    except NotGenuine as reason:
        print(reason, file=sys.stderr)
        return 1


def explain(options: argparse.Namespace, mistake: Exception) -> int:  # noqa: ARG001
    """A configuration that cannot be read is no hindrance: nothing of it is used."""
    return run(options, None)


def _tell_restore(report: dict[str, Any]) -> int:
    print("Genuine: the report of a restore is whole, and the holder of this key signed it.")
    print(f"On {report['day']} was put back: {report['what']}.")
    print(f"  {report['entries_replayed']} entries of the ledger were replayed")
    for place in report["cleared"]:
        print(f"  {place['store']}: {place['count']} cleared ({place['method']})")
    print(f"  {report['rows_without_key']} rows have no key any more")
    print(f"  {report['keys_of_ended']} keys of what was ended were found")
    if report["ledger"]:
        print(f"  the ledger then held {report['ledger']['length']} entries; its head: {report['ledger']['hash']}")
    return 0


def _tell_census(report: dict[str, Any]) -> int:
    print("Genuine: the report of a census is whole, and the holder of this key signed it.")
    print(f"Its result: {report['result']}; {report['erased']} of {report['people']} people were erased in it.")
    for reason in [*report["void"], *report["problems"]]:
        print(f"  {reason}")
    for word in report["words"]:
        if word["found_in"]:
            print(f"  {word['planted_in']}: {'; '.join(word['found_in'][:3])}")
    return 0


def _tell_head(head: dict[str, Any]) -> int:
    print("Genuine: the head of the ledger is whole, and the holder of this key signed it.")
    print(f"On {head['day']} the ledger of {head['instance']} held {head['length']} entries; its head: {head['head']}")
    return 0


def _tell_receipt(content: bytes, key: str, handle: str) -> int:
    from mindstage.ledger.receipts import check_receipt

    receipt = check_receipt(content, key=key)
    print("Genuine: the receipt is whole, and the holder of this key signed it.")
    print(f"Requested {receipt['requested_on']}, completed {receipt['completed_on']}, by {receipt['instance']}.")
    for store in receipt["stores"]:
        print(f"  {store['store']}: {store['found']} found, {store['left']} left")
    if verified := receipt.get("verification"):  # the first receipts have none
        print(f"  {verified['texts_tried']} sealed texts were tried: {verified['texts_opened']} opened")
    for kept in receipt["kept"]:
        print(f"  kept: {kept['what']}, {kept['ground']} (ends {kept['ends_on']})")
    for sent in receipt["went_out"]:
        terms = f"keeps: {sent['keeps']}; gone there: {sent['ends_on']}"
        print(f"  went out to: {sent['who']} ({sent['where']}), until {sent['last_on']}; {terms}")
    for backup in receipt["backups"]:
        print(f"  backup {backup['backup']}: its key is destroyed on {backup['key_destroyed_on']}")
    print(receipt["says"])
    return _open_commitment(receipt, handle) if handle else 0


def _open_commitment(receipt: dict[str, Any], handle: str) -> int:
    from mindstage.ledger.receipts import is_about

    number = input("The number that the receipt page showed: ")
    right = is_about(receipt, handle=handle, nonce=number)
    print(
        "The receipt is about this handle."
        if right
        else "The receipt is not about this handle, or the number is wrong."
    )
    return 0 if right else 1
