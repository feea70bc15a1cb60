import json
import sqlite3
from pathlib import Path

MAXIMUM_ROWS = 200


def query(statement: str) -> list[dict]:
    """Rows of one SQL statement on the tables orders, customers and salaries (SQLite). The data is made anew for each call.

    Args:
        statement: One statement, such as SELECT country, sum(total) FROM orders GROUP BY country.
    """
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    tables = json.loads((Path(__file__).parent / "data" / "tables.json").read_text(encoding="utf-8"))
    for name, rows in tables.items():
        columns = list(rows[0])
        database.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        places = ", ".join(f":{column}" for column in columns)
        database.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
    return [dict(row) for row in database.execute(statement).fetchmany(MAXIMUM_ROWS)]
