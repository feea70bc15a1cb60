from pathlib import Path


def read(path: str) -> str:
    """The text of a file.

    Args:
        path: As files-browse gives it, such as /reports/week-47.txt.
    """
    root = Path(__file__).parent.resolve() / "data"
    file = (root / path.lstrip("/")).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        raise ValueError("there is no such file")
    return file.read_text(encoding="utf-8")
