from lib.customers import Contact, one


def show(id: int) -> Contact:
    """One customer with the person to write to.

    Args:
        id: As crm-find gives it.
    """
    return one(id)
