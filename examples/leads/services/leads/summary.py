from typing import Literal, Optional, TypedDict

from lib.leads import Country, Industry, load, select


class Total(TypedDict):
    """One line of the summary.

    Attributes:
        group: The country, industry or stage.
        mean_score: To one decimal.
    """

    group: str
    leads: int
    mean_score: float
    deal_value_eur: int


def summary(
    by: Literal["country", "industry", "stage"],
    country: Optional[Country] = None,
    industry: Optional[Industry] = None,
) -> list[Total]:
    """How many leads there are and what they are worth, by country, industry or stage. Names nobody.

    Args:
        by: What to group by.
        country: Count only leads of this country, as a two-letter code.
        industry: Count only leads of this industry.
    """
    groups: dict[str, list[dict]] = {}
    for row in select(load(), country, industry):
        groups.setdefault(row[by], []).append(row)
    totals: list[Total] = [
        {
            "group": name,
            "leads": len(rows),
            "mean_score": round(sum(row["score"] for row in rows) / len(rows), 1),
            "deal_value_eur": sum(row["deal_value_eur"] for row in rows),
        }
        for name, rows in groups.items()
    ]
    return sorted(totals, key=lambda total: -total["deal_value_eur"])
