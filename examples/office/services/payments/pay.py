from typing import Literal, TypedDict


class Order(TypedDict):
    """A payment that would be made: the example has no bank."""

    iban: str
    amount: str
    currency: str
    reference: str


def pay(iban: str, amount: str, currency: Literal["EUR"], reference: str) -> Order:
    """Pays a bill.

    Args:
        iban: Account of whoever is paid.
        amount: Such as "129.90".
        currency: The account is in euros.
        reference: What it is for.
    """
    return {"iban": iban, "amount": amount, "currency": currency, "reference": reference}
