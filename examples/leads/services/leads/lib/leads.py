"""The leads of data/leads.csv and what the functions share."""

import csv
from pathlib import Path
from typing import Literal, Optional, TypedDict

Country = Literal["DE", "ES", "FR", "GB", "IT", "NL", "PL", "US"]
Industry = Literal[
    "Automotive", "Chemicals", "Energy", "Finance", "Food", "Healthcare", "Logistics", "Machinery", "Retail", "Software"
]
Stage = Literal["new", "contacted", "qualified", "proposal", "negotiation"]

NUMBERS = ("id", "employees", "score", "deal_value_eur")


class Lead(TypedDict):
    """What is worth knowing about a lead, without the person's address.

    Attributes:
        score: From 0 to 99; higher is better.
        deal_value_eur: Expected value of the deal in euros.
    """

    id: int
    company: str
    country: str
    industry: str
    employees: int
    score: int
    stage: str
    deal_value_eur: int


class Contact(Lead):
    """A lead with the person to talk to."""

    contact: str
    role: str
    email: str
    last_contact: str


def load() -> list[dict]:
    """All rows, with numbers as numbers."""
    path = Path(__file__).resolve().parent.parent / "data" / "leads.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [{**row, **{name: int(row[name]) for name in NUMBERS}} for row in csv.DictReader(file)]


def select(
    rows: list[dict],
    country: Optional[str] = None,
    industry: Optional[str] = None,
    stage: Optional[str] = None,
    min_employees: int = 0,
) -> list[dict]:
    """The rows that fit every filter that is given."""
    wanted = {"country": country, "industry": industry, "stage": stage}
    return [
        row
        for row in rows
        if row["employees"] >= min_employees and all(value is None or row[name] == value for name, value in wanted.items())
    ]


def brief(row: dict) -> Lead:
    """The row without the person."""
    return {name: row[name] for name in Lead.__annotations__}
