import json
from pathlib import Path
from typing import TypedDict


class Payment(TypedDict):
    """A payment that was made or received."""

    id: int
    party: str
    amount: str
    currency: str


def overview(limit: int = 10) -> list[Payment]:
    """The newest payments, newest first.

    Args:
        limit: At most this many.
    """
    return json.loads((Path(__file__).parent / "data" / "payments.json").read_text(encoding="utf-8"))[:limit]
