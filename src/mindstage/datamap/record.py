"""The record of processing activities (GDPR Art. 30), from the same map that the program obeys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mindstage.datamap.content import Content, in_words
from mindstage.datamap.facts import Facts

MEASURES: Final = (
    "Personal text is sealed with AES-256-GCM, under keys per person and per item.",
    "The keys lie in a database of their own, wrapped under a root key outside of data and backups.",
    "Every field that may be opened names the purposes for which it may be.",
    "Erasure destroys keys first; a ledger keeps what was erased out of every restored backup.",
    "Each backup is sealed under a key of its own, which a clock destroys.",
    "Pages load nothing from elsewhere and run under a strict content policy.",
)


def record_of_processing(content: Content, facts: Facts, *, number: int) -> dict[str, Any]:
    """Art. 30(1)(a) to (g) as JSON values: one activity for each purpose in the map."""
    purposes = dict.fromkeys(entry["purpose"] for entry in content["entry"].values())
    return {
        "policy_version": number,
        "controller": facts.operator or None,
        "contact": facts.contact_privacy or None,
        "data_protection_contact": facts.contact_data_protection or None,
        "region": facts.region,
        "activities": [_activity(purpose, content) for purpose in purposes],
        "recipients": [_recipient(provider, facts) for provider in facts.as_json()["providers"]],
        "connections": [{"to": door["title"], "sends": door["sends"]} for door in content["door"].values()],
        "measures": list(MEASURES),
    }


def _activity(purpose: str, content: Content) -> dict[str, Any]:
    entries = [entry for entry in content["entry"].values() if entry["purpose"] == purpose]
    return {
        "purpose": purpose,
        "in_words": in_words(purpose),
        "subjects": "people who have an account here",
        "data": [
            {
                "id": entry["id"],
                "title": entry["title"],
                "category": entry["category"],
                "basis": entry["basis"],
                "special_category": entry["special_category"],
                "recipients": entry["recipients"],
                "time_limit": f"{entry['retention_active']}; after deletion: {entry['retention_after']}",
            }
            for entry in entries
        ],
    }


def _recipient(provider: dict[str, Any], facts: Facts) -> dict[str, Any]:
    leaves = not provider["here"] and provider["region"] != facts.region
    return {**provider, "third_country": leaves}


def to_markdown(record: dict[str, Any]) -> str:
    """The record for people, as one Markdown document."""
    return "\n".join(_lines(record)) + "\n"


def _lines(record: dict[str, Any]) -> Iterator[str]:
    missing = "not configured (mindstage.toml)"
    yield "# Record of processing activities"
    yield ""
    yield f"After Article 30 of the GDPR; from version {record['policy_version']} of the data map."
    yield ""
    yield f"* Controller: {record['controller'] or missing}"
    yield f"* Contact: {record['contact'] or missing}"
    yield f"* Data protection contact: {record['data_protection_contact'] or missing}"
    yield f"* Place of the data: {record['region']}"
    for activity in record["activities"]:
        yield from _lines_of_activity(activity)
    yield from ("", "## Recipients", "")
    for recipient in record["recipients"]:
        abroad = "; a transfer out of the region" if recipient["third_country"] else ""
        terms = f"keeps: {recipient['retains'] or 'not stated'}; trains: {recipient['trains'] or 'not stated'}"
        yield f"* {recipient['name']}, {recipient['region'] or 'place not stated'}{abroad}; {terms}"
    for door in record["connections"]:
        yield f"* {door['to']}: {door['sends']}"
    yield from ("", "## Measures", "")
    yield from (f"* {measure}" for measure in record["measures"])


def _lines_of_activity(activity: dict[str, Any]) -> Iterator[str]:
    heading = activity["in_words"]
    yield from ("", f"## {heading[:1].upper()}{heading[1:]} ({activity['purpose']})", "")
    yield f"Whose: {activity['subjects']}."
    yield from ("", "| data | category | basis | recipients | until |", "| --- | --- | --- | --- | --- |")
    for item in activity["data"]:
        recipients = ", ".join(item["recipients"]) or "nobody"
        yield f"| {item['title']} | {item['category']} | {item['basis']} | {recipients} | {item['time_limit']} |"
