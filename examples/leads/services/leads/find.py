from lib.leads import Lead, brief, load


class Found(Lead):
    """A lead with the note that was made about it."""

    notes: str


def find(text: str, limit: int = 10) -> list[Found]:
    """Leads whose company, industry or notes hold a text, best score first. Upper and lower case are the same.

    Args:
        text: What to look for, such as "audit log".
        limit: At most this many leads, from 1 to 50.
    """
    if not 1 <= limit <= 50:
        raise ValueError(f"limit must be from 1 to 50, not {limit}")
    wanted = text.casefold()
    rows = [row for row in load() if any(wanted in row[name].casefold() for name in ("company", "industry", "notes"))]
    rows.sort(key=lambda row: (-row["score"], row["id"]))
    return [{**brief(row), "notes": row["notes"]} for row in rows[:limit]]
