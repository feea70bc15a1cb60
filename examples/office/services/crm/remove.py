from lib.customers import Customer, brief, one


def remove(id: int) -> Customer:
    """Removes a customer for good. The example keeps nothing: it answers who would be gone.

    Args:
        id: As crm-find gives it.
    """
    return brief(one(id))
