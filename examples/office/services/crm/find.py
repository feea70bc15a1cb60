from lib.customers import Customer, brief, load


def find(text: str, limit: int = 10) -> list[Customer]:
    """Customers whose company holds a text.

    Args:
        text: What to look for; empty for all.
        limit: At most this many.
    """
    wanted = text.casefold()
    return [brief(customer) for customer in load() if wanted in customer["company"].casefold()][:limit]
