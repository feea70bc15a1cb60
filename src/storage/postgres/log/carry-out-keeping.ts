import {
  PositionRanges,
  type ErasureResult,
  type ExpiryStep,
  type Hold,
  type StepResult,
} from '../../../audit/index.ts'
import type { JsonObject } from '../../../kernel/index.ts'
import type { DataKeyOwner } from '../../data-keys.ts'
import type { KeepingAnswer, KeepingTask } from '../../keeping-task.ts'
import { isAsWritten } from '../../is-as-written.ts'
import { lastingKinds } from '../../lasting-kinds.ts'
import type { Session } from '../session.ts'
import { holdOfRow, holdsOfLogs } from './stored-holds.ts'
import type { WriterKeys } from './writer-keys.ts'

/** Records that one step looks at. */
const stepRecords = 1000

/** What a task works with, inside a writer's transaction. */
export interface KeepingScene {
  readonly session: Session
  readonly keys: Pick<WriterKeys, 'isOf'>
  /** Records what is done, in the same transaction; gives the record's position. */
  readonly record: (
    namespace: string,
    kind: 'retention' | 'erasure' | 'legal-hold',
    event: JsonObject,
  ) => Promise<number>
}

/**
 * Carries a task out. Must be called inside a transaction. The log that it is about is locked first, against whoever
 * would append to it, expire or hold it in another session.
 * @throws DatabaseError: nothing is to be committed
 */
export function carryOutKeeping(task: KeepingTask, scene: KeepingScene): Promise<KeepingAnswer> {
  switch (task.kind) {
    case 'place-hold':
      return placeHold(task.hold, scene)
    case 'lift-hold':
      return liftHold(task, scene)
    case 'expire':
      return task.what === 'bodies' ? expireBodies(task, scene) : expireTexts(task, scene)
    case 'erase':
      return erase(task, scene)
    case 'sweep-erased':
      return sweepErased(scene)
  }
}

const nothing: StepResult = { removed: 0, more: false, held: false }

async function placeHold(hold: Hold, { session, record }: KeepingScene): Promise<null> {
  const { id, namespace, subject, reason, placedBy, placedMs } = hold
  // The record first: it makes the log where the namespace has none yet, and locks it.
  await record(namespace, 'legal-hold', { type: 'placed', hold: id, subject, reason, by: placedBy })
  await session.query(
    `INSERT INTO holds (hold, log, subject, reason, placed_by, placed_ms)
     VALUES ($1, (SELECT log FROM logs WHERE namespace = $2), $3, $4, $5, $6)`,
    [id, namespace, subject, reason, placedBy, placedMs],
  )
  return null
}

async function liftHold(
  { namespace, id, by, reason }: Extract<KeepingTask, { kind: 'lift-hold' }>,
  { session, record }: KeepingScene,
): Promise<Hold | null> {
  const place = await lockLog(session, namespace)
  if (place === null) return null
  const hold = (await readHolds(session, [place.log])).find((one) => one.id === id)
  if (hold === undefined) return null
  await record(namespace, 'legal-hold', { type: 'lifted', hold: id, subject: hold.subject, reason, by })
  await session.query('DELETE FROM holds WHERE hold = $1', [id])
  // What the hold kept is behind where expiry has come to.
  await session.query('UPDATE expiry SET bodies_from = texts_from WHERE log = $1', [place.log])
  return hold
}

async function readHolds(session: Session, logs: readonly number[]): Promise<Hold[]> {
  return (await session.query(holdsOfLogs, [[...logs]])).rows.map(holdOfRow)
}

/** A log that is locked until the transaction ends, and how far expiry has come there. */
interface LockedLog {
  readonly log: number
  readonly textsFrom: number
  readonly bodiesFrom: number
  readonly cutCalls: readonly string[]
}

/** `null` where the namespace has no log. */
async function lockLog(session: Session, namespace: string): Promise<LockedLog | null> {
  const locked = await session.query('SELECT log FROM logs WHERE namespace = $1 FOR UPDATE', [namespace])
  const [row] = locked.rows
  if (row === undefined) return null
  const log = Number(row['log'])
  // A statement of its own: it must see what was committed while the lock was waited for.
  const { rows } = await session.query(
    'SELECT texts_from, bodies_from, to_json(cut_calls)::text AS cut_calls FROM expiry WHERE log = $1',
    [log],
  )
  return {
    log,
    textsFrom: Number(rows[0]?.['texts_from'] ?? 0),
    bodiesFrom: Number(rows[0]?.['bodies_from'] ?? 0),
    cutCalls: JSON.parse(String(rows[0]?.['cut_calls'] ?? '[]')) as string[],
  }
}

interface OldRecord {
  readonly idx: number
  readonly kind: string
  readonly call: string
}

/** The oldest records from a position on that are old enough, under a signature, and of no call that is under way. */
async function oldRecords(
  session: Session,
  { beforeMs }: ExpiryStep,
  log: number,
  from: number,
): Promise<readonly OldRecord[]> {
  const { rows } = await session.query(
    `SELECT idx, kind, call, time_ms, leaf_hash, json, time_ms < $3 AND COALESCE(pos < open_from, FALSE) AND idx < COALESCE((
         SELECT max(first_idx + (SELECT max(size) FROM checkpoints WHERE checkpoints.tree = trees.tree))
         FROM trees WHERE trees.log = $1), 0) AS due
     FROM records LEFT JOIN writers USING (writer) WHERE log = $1 AND idx >= $2 ORDER BY idx LIMIT $4`,
    [log, from, Math.ceil(beforeMs), stepRecords],
  )
  const end = rows.findIndex((row) => row['due'] !== true || !isAsWritten(row))
  return rows.slice(0, end === -1 ? rows.length : end).map((row) => ({
    idx: Number(row['idx']),
    kind: String(row['kind']),
    call: String(row['call']),
  }))
}

async function expireBodies(step: ExpiryStep, { session, keys, record }: KeepingScene): Promise<StepResult> {
  const place = await lockLog(session, step.namespace)
  if (place === null) return nothing
  const holds = await readHolds(session, [place.log])
  if (holds.some(({ subject }) => subject === null)) return { ...nothing, held: true }
  const rows = await oldRecords(session, step, place.log, place.bodiesFrom)
  const last = rows.at(-1)
  if (last === undefined) return nothing
  const kept = new Set<number>()
  const absent = new Set<number>()
  if (holds.length > 0) {
    const held = new Set(holds.map(({ subject }) => subject))
    // Of an erased key it is nobody's, and goes.
    const found = await session.query(
      `SELECT idx, data_key, subject, data_keys.epoch, wrapped FROM records LEFT JOIN bodies USING (writer, pos) LEFT JOIN data_keys USING (data_key)
       WHERE records.log = $1 AND idx BETWEEN $2 AND $3`,
      [place.log, place.bodiesFrom, last.idx],
    )
    for (const row of found.rows) {
      const isErased = row['data_key'] !== null && row['wrapped'] === null
      // What is not there is not excused while something is held: it may have been that.
      if (row['data_key'] === null) absent.add(Number(row['idx']))
      else if (!isErased && isHeld(row, held, step.namespace, keys)) kept.add(Number(row['idx']))
    }
  }
  const gone = new PositionRanges()
  for (const { idx } of rows) if (!kept.has(idx) && !absent.has(idx)) gone.add(idx)
  const { changes: removed } = await session.query(
    `DELETE FROM bodies USING records WHERE records.log = $1 AND idx BETWEEN $2 AND $3 AND idx <> ALL ($4::bigint[])
       AND bodies.writer = records.writer AND bodies.pos = records.pos`,
    [place.log, place.bodiesFrom, last.idx, [...kept]],
  )
  await session.query(
    `INSERT INTO expiry (log, bodies_from) VALUES ($1, $2) ON CONFLICT (log) DO UPDATE SET bodies_from = excluded.bodies_from`,
    [place.log, last.idx + 1],
  )
  if (removed > 0)
    await record(step.namespace, 'retention', { what: 'bodies', ranges: asJson(gone), removed, days: step.days })
  return { removed, more: rows.length === stepRecords, held: kept.size > 0 }
}

/** A box of everybody's key may be of anybody, and so may one whose key's row was changed. */
function isHeld(
  row: Record<string, unknown>,
  held: ReadonlySet<string | null>,
  namespace: string,
  keys: KeepingScene['keys'],
): boolean {
  const subject = String(row['subject'])
  return subject === '' || held.has(subject) || !keys.isOf(ownerOf(row, namespace, subject), wrappedOf(row))
}

function ownerOf(row: Record<string, unknown>, namespace: string, subject: string): DataKeyOwner {
  return { namespace, subject, epoch: Number(row['epoch']) }
}

function wrappedOf(row: Record<string, unknown>): Uint8Array {
  return row['wrapped'] as Uint8Array
}

async function expireTexts(step: ExpiryStep, { session, record }: KeepingScene): Promise<StepResult> {
  const place = await lockLog(session, step.namespace)
  if (place === null) return nothing
  if ((await readHolds(session, [place.log])).length > 0) return { ...nothing, held: true }
  const rows = await oldRecords(session, step, place.log, place.textsFrom)
  const last = rows.at(-1)
  if (last === undefined) return nothing
  const below = last.idx + 1
  const calls = await cutCalls(session, place, rows, below)
  const kept = new PositionRanges()
  for (const { idx, kind } of rows) if (lastingKinds.has(kind)) kept.add(idx)
  const span = [place.log, place.textsFrom, below, [...lastingKinds]]
  await session.query(
    `DELETE FROM bodies USING records WHERE records.log = $1 AND idx >= $2 AND idx < $3 AND kind <> ALL ($4::text[])
       AND bodies.writer = records.writer AND bodies.pos = records.pos`,
    span,
  )
  const { changes: removed } = await session.query(
    `UPDATE records SET json = '', principal = NULL
     WHERE log = $1 AND idx >= $2 AND idx < $3 AND kind <> ALL ($4::text[])`,
    span,
  )
  // What only stays is passed together with what goes: else the record of this step would be passed by a later one, for ever.
  if (removed === 0 && rows.length < stepRecords) return nothing
  await session.query(
    `INSERT INTO expiry (log, texts_from, bodies_from, cut_calls) VALUES ($1, $2, $2, $3) ON CONFLICT (log) DO UPDATE
       SET texts_from = excluded.texts_from, bodies_from = greatest(expiry.bodies_from, excluded.bodies_from),
         cut_calls = excluded.cut_calls`,
    [place.log, below, calls],
  )
  const stays = kept.list.length === 0 ? {} : { kept: asJson(kept) }
  await record(step.namespace, 'retention', { what: 'texts', below, ...stays, removed, calls, days: step.days })
  return { removed, more: rows.length === stepRecords, held: false }
}

/** Calls whose decision is below a position and whose end is not: with it gone, their outcomes have none before them. */
async function cutCalls(
  session: Session,
  place: LockedLog,
  old: readonly OldRecord[],
  below: number,
): Promise<string[]> {
  const open = new Set(place.cutCalls)
  for (const { kind, call } of old) if (kind === 'decision') open.add(call)
  const { rows } = await session.query(
    `SELECT DISTINCT call FROM records
     WHERE call = ANY ($1::text[]) AND log = $2 AND idx >= $3 AND kind IN ('outcome', 'abandoned') ORDER BY call`,
    [[...open], place.log, below],
  )
  return rows.map((row) => String(row['call']))
}

async function erase(
  { subject, by, call }: Extract<KeepingTask, { kind: 'erase' }>,
  { session, keys, record }: KeepingScene,
): Promise<ErasureResult> {
  // In the order in which appends lock them. A key that a writer makes from here on is made after the erasure.
  await session.query('SELECT FROM logs ORDER BY log FOR UPDATE')
  const { rows: places } = await session.query(
    `SELECT log, namespace FROM logs WHERE EXISTS (SELECT FROM records WHERE records.log = logs.log AND principal = $1)
       OR EXISTS (SELECT FROM data_keys WHERE data_keys.log = logs.log AND subject = $1) ORDER BY namespace`,
    [subject],
  )
  const holds = await readHolds(
    session,
    places.map((row) => Number(row['log'])),
  )
  const inTheWay = holds.filter((hold) => hold.subject === null || hold.subject === subject)
  if (inTheWay.length > 0) return { kind: 'held', holds: inTheWay }
  const namespaces: { namespace: string; keys: number }[] = []
  for (const row of places) {
    const [log, namespace] = [Number(row['log']), String(row['namespace'])]
    const found = await session.query(
      'SELECT data_key, epoch, wrapped FROM data_keys WHERE subject = $1 AND log = $2 ORDER BY data_key',
      [subject, log],
    )
    // One whose row was changed may be of a principal on hold. Nobody can open it as it stands there.
    const own = found.rows.filter((key) => keys.isOf(ownerOf(key, namespace, subject), wrappedOf(key)))
    const ids = own.map((key) => Number(key['data_key']))
    await session.query('DELETE FROM data_keys WHERE data_key = ANY ($1::bigint[])', [ids])
    const position = await record(namespace, 'erasure', { type: 'keys', subject, keys: ids, by, asked_in: call })
    await session.query('INSERT INTO erasures (log, subject, keys, next_idx, end_idx) VALUES ($1, $2, $3, 0, $4)', [
      log,
      subject,
      ids,
      position,
    ])
    namespaces.push({ namespace, keys: ids.length })
  }
  return { kind: 'erased', namespaces }
}

async function sweepErased({ session, record }: KeepingScene): Promise<StepResult> {
  const { rows } = await session.query(
    `SELECT erasure, log, namespace, subject, erasures.next_idx, end_idx FROM erasures JOIN logs USING (log)
     ORDER BY erasure LIMIT 1 FOR UPDATE`,
  )
  const [due] = rows
  if (due === undefined) return nothing
  const [erasure, from, end] = [Number(due['erasure']), Number(due['next_idx']), Number(due['end_idx'])]
  const to = Math.min(end, from + stepRecords)
  const deleted = await session.query(
    `DELETE FROM bodies USING records WHERE records.log = $1 AND idx >= $2 AND idx < $3
       AND bodies.writer = records.writer AND bodies.pos = records.pos
       AND data_key = ANY ((SELECT keys FROM erasures WHERE erasure = $4)::bigint[]) RETURNING idx`,
    [Number(due['log']), from, to, erasure],
  )
  if (to >= end) await session.query('DELETE FROM erasures WHERE erasure = $1', [erasure])
  else await session.query('UPDATE erasures SET next_idx = $2 WHERE erasure = $1', [erasure, to])
  const positions = deleted.rows.map((row) => Number(row['idx'])).toSorted((one, other) => one - other)
  if (positions.length > 0) {
    const gone = new PositionRanges()
    for (const position of positions) gone.add(position)
    const event = { type: 'bodies', subject: String(due['subject']), ranges: asJson(gone), removed: positions.length }
    await record(String(due['namespace']), 'erasure', event)
  }
  return { removed: positions.length, more: true, held: false }
}

function asJson(ranges: PositionRanges): number[][] {
  return ranges.list.map(([from, to]) => [from, to])
}
