from typing import Optional

from lib.leads import Contact, Country, load, select


def export(limit: int, country: Optional[Country] = None) -> list[Contact]:
    """Leads with the names and e-mail addresses of the people, in the order of the file."""
    return [{name: row[name] for name in Contact.__annotations__} for row in select(load(), country)[:limit]]
