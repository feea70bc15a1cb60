from typing import Literal, TypedDict


class Refund(TypedDict):
    """A refund that would be made: the example has no bank."""

    payment: int
    amount: str
    currency: str


def refund(payment: int, amount: str, currency: Literal["EUR"]) -> Refund:
    """Gives a customer money back.

    Args:
        payment: As payments-overview gives it.
        amount: Such as "12.50".
        currency: The account is in euros.
    """
    return {"payment": payment, "amount": amount, "currency": currency}
