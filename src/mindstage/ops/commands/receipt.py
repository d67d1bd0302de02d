"""`mindstage receipt verify FILE --key KEYFILE`: check a receipt of deletion, without any instance or network."""

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
    verify.add_argument("file", type=Path, metavar="FILE", help="the receipt, as it was downloaded")
    verify.add_argument(
        "--key", type=Path, required=True, metavar="KEYFILE", help="the public key, as it was downloaded"
    )
    handle = "open the commitment: is this receipt about this handle? Asks for the number that the receipt page showed"
    verify.add_argument("--handle", default="", metavar="HANDLE", help=handle)


def run(options: argparse.Namespace, configuration: Any) -> int:  # noqa: ARG001 - every command is called alike
    """0: genuine. 1: not. 2: a file cannot be read."""
    from mindstage.ledger.receipts import ReceiptBroken, check_receipt

    try:
        content = options.file.read_bytes()[:MOST]
        key = options.key.read_text("ascii", "replace")[:MOST]
    except OSError as problem:
        print(f"{problem.filename} cannot be read; nothing was checked.", file=sys.stderr)
        return 2
    try:
        receipt = check_receipt(content, key=key)
    except ReceiptBroken as broken:
        print(broken, file=sys.stderr)
        return 1
    _tell(receipt)
    return _open_commitment(receipt, options.handle) if options.handle else 0


def explain(options: argparse.Namespace, mistake: Exception) -> int:  # noqa: ARG001
    """A configuration that cannot be read is no hindrance: nothing of it is used."""
    return run(options, None)


def _tell(receipt: dict[str, Any]) -> None:
    print("Genuine: the receipt is whole, and the holder of this key signed it.")
    print(f"Requested {receipt['requested_on']}, completed {receipt['completed_on']}, by {receipt['instance']}.")
    for store in receipt["stores"]:
        print(f"  {store['store']}: {store['found']} found, {store['left']} left")
    for kept in receipt["kept"]:
        print(f"  kept: {kept['what']}, {kept['ground']}, until {kept['ends_on']}")
    for backup in receipt["backups"]:
        print(f"  backup {backup['backup']}: its key is destroyed on {backup['key_destroyed_on']}")
    print(receipt["says"])


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
