import { sql, type Expression, type RawBuilder } from 'kysely'

/** The larger of two numbers, neither of them null. SQLite calls it `max` and PostgreSQL `greatest`. */
export function larger(one: Expression<unknown>, other: Expression<unknown>): RawBuilder<number> {
  return sql<number>`case when ${one} > ${other} then ${one} else ${other} end`
}

/** The smaller of two numbers, neither of them null. */
export function smaller(one: Expression<unknown>, other: Expression<unknown>): RawBuilder<number> {
  return sql<number>`case when ${one} < ${other} then ${one} else ${other} end`
}
