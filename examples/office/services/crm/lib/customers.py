"""The customers of data/customers.json."""

import json
from pathlib import Path
from typing import Literal, TypedDict

Stage = Literal["lead", "customer", "former"]


class Customer(TypedDict):
    """A customer without the person's address."""

    id: int
    company: str
    country: str
    stage: str


class Contact(Customer):
    """A customer with the person to write to."""

    contact: str
    email: str


def load() -> list[Contact]:
    """All customers."""
    path = Path(__file__).resolve().parent.parent / "data" / "customers.json"
    return json.loads(path.read_text(encoding="utf-8"))


def one(id: int) -> Contact:
    """The customer of that id."""
    for customer in load():
        if customer["id"] == id:
            return customer
    raise ValueError(f"there is no customer {id}")


def brief(customer: Contact) -> Customer:
    """The customer without the person."""
    return {name: customer[name] for name in ("id", "company", "country", "stage")}
