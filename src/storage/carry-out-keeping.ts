import type { DatabaseSync } from 'node:sqlite'
import { PositionRanges, type ErasureResult, type ExpiryStep, type Hold, type StepResult } from '../audit/index.ts'
import type { JsonObject } from '../kernel/index.ts'
import { isAsWritten } from './is-as-written.ts'
import type { KeepingAnswer, KeepingTask } from './keeping-task.ts'
import { lastingKinds } from './lasting-kinds.ts'
import type { SubjectKeys } from './subject-keys.ts'

/** Records that one step looks at. */
const stepRecords = 1000

/** What a task works with, inside the writer's transaction. */
export interface KeepingScene {
  readonly database: DatabaseSync
  readonly keys: SubjectKeys
  /** Records what is done, in the same transaction; gives the record's position. */
  readonly record: (namespace: string, kind: 'retention' | 'erasure' | 'legal-hold', event: JsonObject) => number
  /** Sequence number of the oldest decision whose call is under way; what is at or beyond it stays. */
  readonly openFrom: number
}

/** Carries a task out. Must be called inside a transaction. @throws SQLite's own errors: nothing is done */
export function carryOutKeeping(task: KeepingTask, scene: KeepingScene): KeepingAnswer {
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

function placeHold(hold: Hold, { database, record }: KeepingScene): null {
  const { id, namespace, subject, reason, placedBy, placedMs } = hold
  // The record first: it makes the log where the namespace has none yet.
  record(namespace, 'legal-hold', { type: 'placed', hold: id, subject, reason, by: placedBy })
  database
    .prepare('INSERT INTO holds (hold, log, subject, reason, placed_by, placed_ms) VALUES (?, ?, ?, ?, ?, ?)')
    .run(id, logOf(database, namespace), subject, reason, placedBy, placedMs)
  return null
}

function liftHold(
  { namespace, id, by, reason }: Extract<KeepingTask, { kind: 'lift-hold' }>,
  { database, record }: KeepingScene,
): Hold | null {
  const log = logOf(database, namespace)
  const hold = readHolds(database, log).find((one) => one.id === id)
  if (hold === undefined) return null
  record(namespace, 'legal-hold', { type: 'lifted', hold: id, subject: hold.subject, reason, by })
  database.prepare('DELETE FROM holds WHERE hold = ?').run(id)
  // What the hold kept is behind where expiry has come to.
  database.prepare('UPDATE logs SET bodies_from = texts_from WHERE log = ?').run(log)
  return hold
}

/** Holds in force, of one log or of all. @throws SQLite's own errors */
export function readHolds(database: DatabaseSync, log: number | null): Hold[] {
  return database
    .prepare(
      `SELECT hold, namespace, subject, reason, placed_by, placed_ms FROM holds JOIN logs USING (log)
       WHERE log = coalesce(?, log) ORDER BY placed_ms, hold`,
    )
    .all(log)
    .map((row) => ({
      id: String(row['hold']),
      namespace: String(row['namespace']),
      subject: row['subject'] as string | null,
      reason: String(row['reason']),
      placedBy: String(row['placed_by']),
      placedMs: Number(row['placed_ms']),
    }))
}

interface OldRecord {
  readonly seq: number
  readonly idx: number
  readonly kind: string
  readonly call: string
}

/** The oldest records from a position on that are old enough, under a signature, and of no call that is under way. */
function oldRecords(step: ExpiryStep, log: number, from: number, { database, openFrom }: KeepingScene): OldRecord[] {
  const signed = signedBelow(database, log)
  const rows = database
    .prepare(
      'SELECT seq, idx, time_ms, kind, call, leaf_hash, json FROM records WHERE log = ? AND idx >= ? ORDER BY idx LIMIT ?',
    )
    .all(log, from, stepRecords)
  const end = rows.findIndex(
    (row) =>
      Number(row['time_ms']) >= step.beforeMs ||
      Number(row['idx']) >= signed ||
      Number(row['seq']) >= openFrom ||
      !isAsWritten(row),
  )
  return rows.slice(0, end === -1 ? rows.length : end).map((row) => ({
    seq: Number(row['seq']),
    idx: Number(row['idx']),
    kind: String(row['kind']),
    call: String(row['call']),
  }))
}

/** Positions below it are under a signed checkpoint: what vouches for a record whose text is gone. */
function signedBelow(database: DatabaseSync, log: number): number {
  const row = database
    .prepare(
      `SELECT max(first_idx + (SELECT max(size) FROM checkpoints WHERE checkpoints.tree = trees.tree)) AS signed
       FROM trees WHERE log = ?`,
    )
    .get(log)
  return Number(row?.['signed'] ?? 0)
}

function expireBodies(step: ExpiryStep, scene: KeepingScene): StepResult {
  const { database, record } = scene
  const place = findLog(database, step.namespace)
  if (place === null) return nothing
  const holds = readHolds(database, place.log)
  if (holds.some(({ subject }) => subject === null)) return { ...nothing, held: true }
  const held = new Set(holds.map(({ subject }) => subject))
  const rows = oldRecords(step, place.log, place.bodiesFrom, scene)
  const last = rows.at(-1)
  if (last === undefined) return nothing
  const owner = database.prepare(
    'SELECT subject, epoch, wrapped FROM bodies LEFT JOIN data_keys USING (data_key) WHERE seq = ?',
  )
  const remove = database.prepare('DELETE FROM bodies WHERE seq = ?')
  const gone = new PositionRanges()
  let removed = 0
  let kept = 0
  for (const { seq, idx } of rows) {
    const box = owner.get(seq)
    // What is not there is not excused while something is held: it may have been that.
    if (box === undefined && held.size > 0) continue
    if (box !== undefined && held.size > 0 && isHeld(box, held, step.namespace, scene.keys)) {
      kept += 1
      continue
    }
    gone.add(idx)
    if (box !== undefined) removed += Number(remove.run(seq).changes)
  }
  database.prepare('UPDATE logs SET bodies_from = ? WHERE log = ?').run(last.idx + 1, place.log)
  if (removed > 0)
    record(step.namespace, 'retention', { what: 'bodies', ranges: asJson(gone), removed, days: step.days })
  return { removed, more: rows.length === stepRecords, held: kept > 0 }
}

/** A box of everybody's key may be of anybody, and so may one whose key's row was changed. Of an erased key it is nobody's. */
function isHeld(
  box: Record<string, unknown>,
  held: ReadonlySet<string | null>,
  namespace: string,
  keys: SubjectKeys,
): boolean {
  if (box['wrapped'] === null) return false
  const subject = String(box['subject'])
  if (subject === '' || held.has(subject)) return true
  return !keys.isOf({ namespace, subject, epoch: Number(box['epoch']) }, box['wrapped'] as Uint8Array)
}

function expireTexts(step: ExpiryStep, scene: KeepingScene): StepResult {
  const { database, record } = scene
  const place = findLog(database, step.namespace)
  if (place === null) return nothing
  if (readHolds(database, place.log).length > 0) return { ...nothing, held: true }
  const rows = oldRecords(step, place.log, place.textsFrom, scene)
  const last = rows.at(-1)
  if (last === undefined) return nothing
  const below = last.idx + 1
  const calls = cutCalls(database, place.log, rows, below)
  const blank = database.prepare("UPDATE records SET json = '', principal = NULL WHERE seq = ?")
  const remove = database.prepare('DELETE FROM bodies WHERE seq = ?')
  const kept = new PositionRanges()
  let removed = 0
  for (const { seq, idx, kind } of rows) {
    if (lastingKinds.has(kind)) {
      kept.add(idx)
      continue
    }
    removed += Number(blank.run(seq).changes)
    remove.run(seq)
  }
  // What only stays is passed together with what goes: else the record of this step would be passed by a later one, for ever.
  if (removed === 0 && rows.length < stepRecords) return nothing
  database
    .prepare('UPDATE logs SET texts_from = ?, bodies_from = max(bodies_from, ?) WHERE log = ?')
    .run(below, below, place.log)
  const stays = kept.list.length === 0 ? {} : { kept: asJson(kept) }
  record(step.namespace, 'retention', { what: 'texts', below, ...stays, removed, calls, days: step.days })
  return { removed, more: rows.length === stepRecords, held: false }
}

/** Calls whose decision is below a position and whose end is not: with it gone, their outcomes have none before them. */
function cutCalls(database: DatabaseSync, log: number, rows: readonly OldRecord[], below: number): string[] {
  const name = `cut calls ${log}`
  const before = database.prepare('SELECT value FROM meta WHERE name = ?').get(name)
  const open = new Set<string>(
    before === undefined ? [] : (JSON.parse(Buffer.from(before['value'] as Uint8Array).toString('utf8')) as string[]),
  )
  const end = database.prepare(
    "SELECT 1 FROM records WHERE call = ? AND log = ? AND idx >= ? AND kind IN ('outcome', 'abandoned')",
  )
  for (const { kind, call } of rows) if (kind === 'decision') open.add(call)
  const cut = [...open].filter((call) => end.get(call, log, below) !== undefined)
  database
    .prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)')
    .run(name, Buffer.from(JSON.stringify(cut)))
  return cut
}

function erase(
  { subject, by, call }: Extract<KeepingTask, { kind: 'erase' }>,
  { database, keys, record }: KeepingScene,
): ErasureResult {
  const places = logsOfSubject(database, subject)
  const holds = places.flatMap(({ log }) => readHolds(database, log))
  const inTheWay = holds.filter((hold) => hold.subject === null || hold.subject === subject)
  if (inTheWay.length > 0) return { kind: 'held', holds: inTheWay }
  const remove = database.prepare('DELETE FROM data_keys WHERE data_key = ?')
  const later = database.prepare('INSERT INTO erasures (log, subject, next_idx, end_idx) VALUES (?, ?, 0, ?)')
  const namespaces = places.map(({ log, namespace }) => {
    const found = database
      .prepare('SELECT data_key, epoch, wrapped FROM data_keys WHERE subject = ? AND log = ?')
      .all(subject, log)
      // One whose row was changed may be of a principal on hold. Nobody can open it as it stands there.
      .filter((row) => keys.isOf({ namespace, subject, epoch: Number(row['epoch']) }, row['wrapped'] as Uint8Array))
    const ids = found.map((row) => Number(row['data_key'])).toSorted((one, other) => one - other)
    for (const id of ids) remove.run(id)
    keys.forget(log, subject)
    const position = record(namespace, 'erasure', { type: 'keys', subject, keys: ids, by, asked_in: call })
    later.run(log, subject, position)
    return { namespace, keys: ids.length }
  })
  return { kind: 'erased', namespaces }
}

/** Where a principal has records or keys. */
function logsOfSubject(database: DatabaseSync, subject: string): { log: number; namespace: string }[] {
  const any = database.prepare(
    `SELECT EXISTS (SELECT 1 FROM records WHERE log = ?1 AND principal = ?2 AND principal IS NOT NULL)
       OR EXISTS (SELECT 1 FROM data_keys WHERE subject = ?2 AND log = ?1) AS found`,
  )
  return database
    .prepare('SELECT log, namespace FROM logs ORDER BY namespace')
    .all()
    .map((row) => ({ log: Number(row['log']), namespace: String(row['namespace']) }))
    .filter(({ log }) => Number(any.get(log, subject)?.['found']) === 1)
}

function sweepErased({ database, record }: KeepingScene): StepResult {
  const due = database
    .prepare('SELECT erasure, log, namespace, subject, next_idx, end_idx FROM erasures JOIN logs USING (log) LIMIT 1')
    .get()
  if (due === undefined) return nothing
  const [log, subject, end] = [Number(due['log']), String(due['subject']), Number(due['end_idx'])]
  const decisions = database
    .prepare(
      `SELECT seq, idx, call FROM records WHERE log = ? AND principal = ? AND principal IS NOT NULL AND idx >= ? AND idx < ?
       ORDER BY idx LIMIT ?`,
    )
    .all(log, subject, Number(due['next_idx']), end, stepRecords / 2)
  const outcomes = database.prepare("SELECT seq, idx FROM records WHERE call = ? AND log = ? AND kind = 'outcome'")
  // What it did for somebody else is under a key of theirs. A key of everybody may have sealed what is held.
  const mayBeHeld = readHolds(database, log).length > 0 ? 1 : 0
  const remove = database.prepare(
    `DELETE FROM bodies WHERE seq = ?1 AND NOT EXISTS (
       SELECT 1 FROM data_keys WHERE data_keys.data_key = bodies.data_key AND subject <> ?2 AND (subject <> '' OR ?3)
     )`,
  )
  const positions: number[] = []
  for (const decision of decisions) {
    for (const { seq, idx } of [decision, ...outcomes.all(String(decision['call']), log)]) {
      if (Number(idx) < end && Number(remove.run(Number(seq), subject, mayBeHeld).changes) > 0)
        positions.push(Number(idx))
    }
  }
  const last = decisions.at(-1)
  if (last === undefined) database.prepare('DELETE FROM erasures WHERE erasure = ?').run(Number(due['erasure']))
  else
    database
      .prepare('UPDATE erasures SET next_idx = ? WHERE erasure = ?')
      .run(Number(last['idx']) + 1, Number(due['erasure']))
  if (positions.length > 0) {
    const gone = new PositionRanges()
    for (const position of positions) gone.add(position)
    const event = { type: 'bodies', subject, ranges: asJson(gone), removed: positions.length }
    record(String(due['namespace']), 'erasure', event)
  }
  return { removed: positions.length, more: true, held: false }
}

function asJson(ranges: PositionRanges): number[][] {
  return ranges.list.map(([from, to]) => [from, to])
}

function findLog(database: DatabaseSync, namespace: string) {
  const row = database.prepare('SELECT log, texts_from, bodies_from FROM logs WHERE namespace = ?').get(namespace)
  if (row === undefined) return null
  return {
    log: Number(row['log']),
    textsFrom: Number(row['texts_from']),
    bodiesFrom: Number(row['bodies_from']),
  }
}

function logOf(database: DatabaseSync, namespace: string): number {
  return findLog(database, namespace)?.log ?? -1
}
