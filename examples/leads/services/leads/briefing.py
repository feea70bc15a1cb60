from typing import TypedDict

from lib.leads import Country, Lead
from mcpworks import call


class Briefing(TypedDict):
    """What is worth knowing about the leads of one country.

    Attributes:
        mean_score: To one decimal.
        best: Best first.
    """

    leads: int
    mean_score: float
    deal_value_eur: int
    best: list[Lead]


def briefing(country: Country, n: int = 3) -> Briefing:
    """The leads of one country in one answer: how many, what they are worth, and the best of them.

    Args:
        country: A two-letter code.
        n: How many of the best, from 1 to 50.
    """
    # Two calls of other tools, decided and recorded like any other: whoever asks for a briefing must be allowed both.
    totals = call("leads-summary", {"by": "country", "country": country})
    best = call("leads-top", {"country": country, "n": n})
    total = totals[0]
    return {
        "leads": total["leads"],
        "mean_score": total["mean_score"],
        "deal_value_eur": total["deal_value_eur"],
        "best": best,
    }
