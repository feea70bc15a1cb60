import json
from pathlib import Path
from typing import TypedDict


class Header(TypedDict):
    """What stands above a message."""

    id: int
    sender: str
    subject: str


def search(text: str, limit: int = 10) -> list[Header]:
    """Messages whose sender or subject hold a text, newest first.

    Args:
        text: What to look for; empty for all.
        limit: At most this many.
    """
    messages = json.loads((Path(__file__).parent / "data" / "messages.json").read_text(encoding="utf-8"))
    wanted = text.casefold()
    found = [one for one in messages if wanted in f"{one['sender']} {one['subject']}".casefold()]
    return [{name: one[name] for name in ("id", "sender", "subject")} for one in found[:limit]]
