from typing import Optional

from lib.leads import Country, Industry, Lead, Stage, brief, load, select


def top(
    n: int = 5,
    country: Optional[Country] = None,
    industry: Optional[Industry] = None,
    stage: Optional[Stage] = None,
    min_employees: int = 0,
) -> list[Lead]:
    """The best leads by score, best first, with what they are worth. Equal scores: the larger deal first.

    Args:
        n: How many leads, from 1 to 50.
        country: Only leads of this country, as a two-letter code.
        industry: Only leads of this industry.
        stage: Only leads at this stage of the sale.
        min_employees: Only companies with at least this many employees.
    """
    if not 1 <= n <= 50:
        raise ValueError(f"n must be from 1 to 50, not {n}")
    rows = select(load(), country, industry, stage, min_employees)
    rows.sort(key=lambda row: (-row["score"], -row["deal_value_eur"], row["id"]))
    return [brief(row) for row in rows[:n]]
