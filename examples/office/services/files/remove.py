def remove(path: str) -> str:
    """Removes a file for good. The example keeps nothing: it answers which file would be gone.

    Args:
        path: As files-browse gives it.
    """
    return path
