from typing import Optional

from lib.customers import Contact, load


def export(limit: int, country: Optional[str] = None) -> list[Contact]:
    """Customers with names and e-mail addresses.

    Args:
        limit: At most this many.
        country: Only customers of this country, as a two-letter code.
    """
    return [one for one in load() if country is None or one["country"] == country][:limit]
