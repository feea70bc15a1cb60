import type { DatabaseSync } from 'node:sqlite'
import { PositionRanges, type ExpiryStep, type StepResult } from '../audit/index.ts'
import type { KeepingScene } from './keeping-scene.ts'
import {
  dueRecords,
  latestMs,
  lookedAhead,
  type DueRecord,
  type DueRecords,
  type ReaderPlace,
} from './keeping/due-records.ts'
import { recordedSubject } from './keeping/swept-bodies.ts'
import { asJson, planTexts } from './keeping/texts-event.ts'
import { seqOfRecordId } from './record-id.ts'
import { findLog, readHolds } from './stored-holds.ts'

/** Records that one step looks at. */
const stepRecords = 1000

const nothing: StepResult = { removed: 0, more: false, held: false }

/** Deletes what is beside records that have had their time. Inside the writer's transaction. @throws SQLite's own errors */
export function expireBodies(step: ExpiryStep, scene: KeepingScene): StepResult {
  const { database, record } = scene
  const place = findLog(database, step.namespace)
  if (place === null) return nothing
  const { holds, spoiledAt } = readHolds(database, place.log)
  if (spoiledAt !== null) return { ...nothing, stoppedAt: spoiledAt }
  if (holds.some(({ subject }) => subject === null)) return { ...nothing, held: true }
  const held = new Set(holds.map(({ subject }) => subject))
  const found = oldRecords(step, place.log, place.bodiesFrom, scene)
  const last = found.due.at(-1)
  if (last === undefined) return { ...nothing, ...stop(found) }
  const owner = database.prepare(ownerStatement)
  const remove = database.prepare('DELETE FROM bodies WHERE seq = ?')
  const gone = new PositionRanges()
  let removed = 0
  let kept = 0
  for (const { idx, row } of found.due) {
    const seq = Number(row['seq'])
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
  return { removed, more: found.due.length === stepRecords, held: kept > 0, ...stop(found) }
}

/** Whose a box is: by its key, and by the texts of its record and of the decision. */
const ownerStatement = `
  SELECT own.idx, own.id, own.time_ms, own.kind, own.call, own.leaf_hash, own.json, subject, data_keys.epoch, wrapped,
    decision.id AS decision_id, decision.time_ms AS decision_time_ms, decision.leaf_hash AS decision_leaf_hash,
    decision.json AS decision_json
  FROM bodies JOIN records AS own USING (seq) LEFT JOIN data_keys USING (data_key)
    LEFT JOIN records AS decision ON decision.call = own.call AND decision.log = own.log AND decision.kind = 'decision'
  WHERE bodies.seq = ?`

/**
 * A box of everybody's key may be of anybody, and so may one whose key's row was changed. One whose key is gone is nobody's
 * to read; but only what its record says tells that it is not one that is held under another number.
 */
function isHeld(
  box: Record<string, unknown>,
  held: ReadonlySet<string | null>,
  namespace: string,
  keys: KeepingScene['keys'],
): boolean {
  const recorded = recordedSubject(box)
  if (recorded === 'gone' || recorded.subject === null) return true
  if (box['wrapped'] === null || held.has(recorded.subject)) return held.has(recorded.subject)
  const subject = String(box['subject'])
  if (subject === '' || held.has(subject)) return true
  return !keys.isOf({ namespace, subject, epoch: Number(box['epoch']) }, box['wrapped'] as Uint8Array)
}

/** Deletes the texts of records that have had their time, with what is beside them. @throws SQLite's own errors */
export function expireTexts(step: ExpiryStep, scene: KeepingScene): StepResult {
  const { database, record } = scene
  const place = findLog(database, step.namespace)
  if (place === null) return nothing
  const { holds, spoiledAt } = readHolds(database, place.log)
  if (spoiledAt !== null) return { ...nothing, stoppedAt: spoiledAt }
  if (holds.length > 0) return { ...nothing, held: true }
  const found = oldRecords(step, place.log, place.textsFrom, scene)
  const plan = planTexts(found.due)
  if (plan === null) return { ...nothing, ...stop(found) }
  const calls = cutCalls(database, place.log, found.due, plan.below)
  const blank = database.prepare("UPDATE records SET json = '', principal = NULL WHERE log = ? AND idx = ?")
  const remove = database.prepare('DELETE FROM bodies WHERE seq = (SELECT seq FROM records WHERE log = ? AND idx = ?)')
  for (const { idx } of plan.gone) {
    blank.run(place.log, idx)
    remove.run(place.log, idx)
  }
  const removed = plan.gone.length
  // What only stays is passed together with what goes: else the record of this step would be passed by a later one, for ever.
  if (removed === 0 && found.due.length < stepRecords) return { ...nothing, ...stop(found) }
  database
    .prepare('UPDATE logs SET texts_from = ?, bodies_from = max(bodies_from, ?) WHERE log = ?')
    .run(plan.below, plan.below, place.log)
  record(step.namespace, 'retention', plan.event({ from: place.textsFrom, calls, days: step.days }))
  return { removed, more: found.due.length === stepRecords, held: false, unread: plan.unread, ...stop(found) }
}

function stop({ stoppedAt }: DueRecords<unknown>): Pick<StepResult, 'stoppedAt'> {
  return stoppedAt === null ? {} : { stoppedAt }
}

/** The oldest records from a position on that are old enough, and may go. */
function oldRecords(step: ExpiryStep, log: number, from: number, { database, openFrom }: KeepingScene) {
  const readers = readerPlaces(database, step)
  const rows = database
    .prepare(
      `SELECT seq, idx, id, time_ms, kind, call, leaf_hash, json, idx < ?1 AND seq < ?2 AS free,
         ${readers.length === 0 ? 'seq' : readUpTo} AS read_up_to
       FROM records WHERE log = ?3 AND idx >= ?4 ORDER BY idx LIMIT ${stepRecords}`,
    )
    .all(signedBelow(database, log), openFrom, log, from)
  const last = rows.at(-1)
  const isAhead = last !== undefined && Number(last['time_ms']) > latestMs(step)
  const beyond = isAhead
    ? database
        .prepare(
          `SELECT id, time_ms, kind, call, leaf_hash, json FROM records
           WHERE log = ?1 AND idx > ?2 AND idx < ?2 + ${lookedAhead} AND time_ms <= ?3 ORDER BY idx LIMIT 1`,
        )
        .get(log, last['idx'] as number, latestMs(step))
    : undefined
  return dueRecords(rows, step, readers, beyond)
}

/** Whoever is given the end of a call needs its decision. */
const readUpTo = `CASE kind WHEN 'decision' THEN coalesce((
  SELECT max(ends.seq) FROM records AS ends
  WHERE ends.call = records.call AND ends.log = records.log AND ends.kind IN ('outcome', 'abandoned')), seq) ELSE seq END`

function readerPlaces(database: DatabaseSync, { awaited }: ExpiryStep): ReaderPlace[] {
  const find = database.prepare('SELECT seq FROM records WHERE seq = ? AND id = ?')
  return (awaited?.readers ?? []).map(({ name, position }) => ({
    name,
    // Whose position is not in the log has had nothing of it.
    seq: Number(find.get(seqOfRecordId(position), position)?.['seq'] ?? -1),
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

/** Calls whose decision is below a position and whose end is not: with it gone, their outcomes have none before them. */
function cutCalls(database: DatabaseSync, log: number, rows: readonly DueRecord[], below: number): string[] {
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
