import type { RecordQuery } from '../../../audit/index.ts'
import { McpworksError } from '../../../kernel/index.ts'
import { placeOfRecordId } from './record-place.ts'

const readLimit = 1000

/** A statement with its parameters. */
export interface Selection {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** Takes a value and gives what stands for it in the statement. */
type Parameter = (value: unknown) => string

/**
 * The statement that answers a query of records. Over all namespaces it finds what is in the order of all records; in one
 * namespace, and of one call there, everything that is durable.
 * @throws McpworksError `invalid_request` for a query without a bound
 */
export function selectionOf(query: RecordQuery): Selection {
  const { namespace, call, afterIndex, limit, descending = false } = query
  if (!Number.isInteger(limit) || limit < 1 || limit > readLimit || (afterIndex !== undefined && namespace === null)) {
    throw new McpworksError('invalid_request', { detail: 'limit is 1-1000, and afterIndex needs a namespace' })
  }
  const parameters: unknown[] = []
  const parameter: Parameter = (value) => `$${parameters.push(value)}`
  const direction = descending ? 'DESC' : 'ASC'
  const source =
    namespace === null && call === undefined
      ? inOrderOfAll(query, parameter, direction)
      : ofNamespaceOrCall(query, parameter, direction)
  const sql = `SELECT found.idx, found.id, found.time_ms, namespace, found.kind, found.call, found.json
    FROM ${source.from} JOIN logs USING (log) ORDER BY ${source.order} LIMIT ${limit}`
  return { sql, parameters }
}

/** Stretch by stretch; of each the records that fit. Said like this, because the planner knows little of how long one is. */
function inOrderOfAll(query: RecordQuery, parameter: Parameter, direction: string) {
  const { afterId, limit } = query
  const conditions = conditionsOf(query, parameter)
  const beyond = query.descending === true ? '<' : '>'
  let stretches = 'SELECT * FROM stretches'
  if (afterId !== undefined) {
    const after = seqOf(afterId, parameter)
    conditions.push(`first_seq + pos - first_pos ${beyond} ${after}`)
    stretches +=
      query.descending === true
        ? ` WHERE first_seq <= ${after}`
        : ` WHERE first_seq + records > ${after} + 1
      AND first_seq >= (SELECT max(first_seq) FROM stretches WHERE first_seq <= ${after})`
  }
  const of = ['records.writer = stretch.writer', 'pos >= first_pos', 'pos < first_pos + stretch.records', ...conditions]
  return {
    from: `(${stretches} ORDER BY first_seq ${direction} OFFSET 0) AS stretch
      CROSS JOIN LATERAL (SELECT * FROM records WHERE ${of.join(' AND ')} ORDER BY pos ${direction} LIMIT ${limit}) AS found`,
    order: `first_seq ${direction}, found.pos ${direction}`,
  }
}

function ofNamespaceOrCall(query: RecordQuery, parameter: Parameter, direction: string) {
  const { namespace, call, afterId, afterIndex } = query
  const beyond = query.descending === true ? '<' : '>'
  const conditions = conditionsOf(query, parameter)
  if (namespace !== null) conditions.push(`log = (SELECT log FROM logs WHERE namespace = ${parameter(namespace)})`)
  if (afterIndex !== undefined) conditions.push(`idx ${beyond} ${parameter(afterIndex)}`)
  if (afterId !== undefined) conditions.push(`${seqOfRow} ${beyond} ${seqOf(afterId, parameter)}`)
  // A call has few records, found first: a planner that expected more of them would walk the whole namespace.
  const records =
    call === undefined ? 'records' : `(SELECT * FROM records WHERE call = ${parameter(call)} OFFSET 0) AS records`
  if (namespace === null) conditions.push(`${seqOfRow} IS NOT NULL`)
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  return namespace === null
    ? { from: `(SELECT *, ${seqOfRow} AS seq FROM ${records} ${where}) AS found`, order: `seq ${direction}` }
    : {
        from: `(SELECT * FROM ${records} ${where} ORDER BY idx ${direction} LIMIT ${query.limit}) AS found`,
        order: `found.idx ${direction}`,
      }
}

function conditionsOf({ kinds, principal, withoutText }: RecordQuery, parameter: Parameter): string[] {
  const conditions = withoutText === true ? ['true'] : ["json <> ''"]
  if (principal !== undefined) conditions.push(`principal = ${parameter(principal)}`)
  if (kinds !== undefined) conditions.push(`kind = ANY (${parameter([...kinds])}::text[])`)
  // The condition of the partial index, word for word, where it is true of what is asked for.
  if (kinds?.every((kind) => kind !== 'decision' && kind !== 'outcome') === true) {
    conditions.push("kind NOT IN ('decision', 'outcome')")
  }
  return conditions
}

/** The place of a row of `records` in the order of all, NULL where it has none yet. */
export const seqOfRow = `(SELECT s.first_seq + records.pos - s.first_pos FROM (
    SELECT * FROM stretches WHERE writer = records.writer AND first_pos <= records.pos ORDER BY first_pos DESC LIMIT 1
  ) AS s WHERE records.pos < s.first_pos + s.records)`

/** The place of a record that is named by its id, NULL where there is none. */
function seqOf(id: string, parameter: Parameter): string {
  const place = placeOfRecordId(id)
  if (place === null) return 'NULL::bigint'
  const key = `writer = ${parameter(place.writer)} AND pos = ${parameter(place.position)} AND id = ${parameter(id)}::uuid`
  return `(SELECT ${seqOfRow} FROM records WHERE ${key})`
}
