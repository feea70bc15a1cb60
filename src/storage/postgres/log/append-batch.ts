import type { KeyObject } from 'node:crypto'
import { byteaArray, int4Array, int8Array, textArray, uuidArray } from './binary-array.ts'
import { writerMac, type WriterPosition } from './writer-row.ts'
import type { Session } from '../session.ts'

/** SQLSTATE of a batch that was sealed under a key which was deleted since. Nothing of it is stored. */
export const keyIsGone = 'MW002'

/** A record that is ready to be stored. */
export interface SealedRecord {
  readonly log: number
  readonly position: number
  readonly id: string
  readonly timeMs: number
  readonly kind: string
  readonly call: string
  readonly principal: string | null
  readonly leaf: Uint8Array
  readonly json: string
  readonly bodies: { readonly dataKey: number; readonly sealed: Uint8Array } | null
}

/** What a writer writes in one transaction. */
export interface WriterBatch {
  readonly logId: string
  readonly headKey: KeyObject
  readonly writer: number
  readonly from: WriterPosition
  readonly to: WriterPosition
  readonly records: readonly SealedRecord[]
}

/**
 * Stores a batch: all of it or nothing. Outside a transaction it is durable when this resolves.
 * @returns the position of each record in its log, in the order of the batch
 * @throws DatabaseError; SQLSTATE `MW001` where the writer is elsewhere, `MW002` where a key was deleted
 */
export async function appendBatch(session: Session, batch: WriterBatch): Promise<number[]> {
  const { records } = batch
  const counts = new Map<number, number>()
  const nth: number[] = []
  for (const { log } of records) {
    const before = counts.get(log) ?? 0
    nth.push(before)
    counts.set(log, before + 1)
  }
  const logs = [...counts.keys()].toSorted((one, other) => one - other)
  const { rows } = await session.prepared('append_batch', statement, parametersOf(batch, logs, counts, nth))
  const bases = String(rows[0]?.['bases']).slice(1, -1).split(',').map(Number)
  const baseOf = new Map(logs.map((log, at) => [log, bases[at] ?? Number.NaN]))
  return records.map(({ log }, at) => (baseOf.get(log) ?? Number.NaN) + (nth[at] ?? Number.NaN))
}

const statement =
  'SELECT append_batch($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22) AS bases'

function parametersOf(
  { logId, headKey, writer, from, to, records }: WriterBatch,
  logs: readonly number[],
  counts: ReadonlyMap<number, number>,
  nth: readonly number[],
): unknown[] {
  const withBodies = records.filter(({ bodies }) => bodies !== null)
  const keys = withBodies.map(({ bodies }) => bodies?.dataKey ?? 0)
  return [
    writer,
    from.epoch,
    from.nextPosition,
    int4Array(logs),
    int8Array(logs.map((log) => counts.get(log) ?? 0)),
    int4Array(records.map(({ log }) => log)),
    int8Array(nth),
    uuidArray(records.map(({ id }) => id)),
    int8Array(records.map(({ timeMs }) => timeMs)),
    textArray(records.map(({ kind }) => kind)),
    textArray(records.map(({ call }) => call)),
    textArray(records.map(({ principal }) => principal)),
    byteaArray(records.map(({ leaf }) => leaf)),
    textArray(records.map(({ json }) => json)),
    int8Array(withBodies.map(({ position }) => position)),
    int8Array(keys),
    byteaArray(withBodies.map(({ bodies }) => bodies?.sealed ?? new Uint8Array())),
    int8Array([...new Set(keys)]),
    to.nextPosition,
    to.lastHash,
    to.openFrom,
    writerMac(headKey, logId, writer, to),
  ]
}
