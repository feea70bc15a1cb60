from pathlib import Path


def browse(folder: str = "/") -> list[str]:
    """Paths of the files in a folder and below it.

    Args:
        folder: Such as /reports.
    """
    root = Path(__file__).parent / "data"
    paths = ["/" + str(path.relative_to(root)) for path in sorted(root.rglob("*")) if path.is_file()]
    return [path for path in paths if path.startswith(folder)]
