from typing import TypedDict


class Written(TypedDict):
    """What would have been written: the example keeps nothing."""

    path: str
    characters: int


def write(path: str, text: str) -> Written:
    """Writes a file.

    Args:
        path: Such as /reports/week-48.txt.
        text: What it holds from then on.
    """
    return {"path": path, "characters": len(text)}
