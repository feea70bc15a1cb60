import { PositionRanges, type ExpiryStep, type StepResult } from '../../../audit/index.ts'
import {
  dueRecords,
  latestMs,
  lookedAhead,
  type DueRecord,
  type DueRecords,
  type ReaderPlace,
} from '../../keeping/due-records.ts'
import { recordedSubject } from '../../keeping/swept-bodies.ts'
import { asJson, planTexts } from '../../keeping/texts-event.ts'
import type { Session } from '../session.ts'
import type { KeepingScene } from './keeping-scene.ts'
import { seqOfRow } from './record-selection.ts'
import { placeOfRecordId } from './record-place.ts'
import { lockLog, readHolds, type LockedLog } from './stored-holds.ts'

/** Records that one step looks at. */
const stepRecords = 1000

const nothing: StepResult = { removed: 0, more: false, held: false }

/** Deletes what is beside records that have had their time. Inside a transaction. @throws DatabaseError */
export async function expireBodies(step: ExpiryStep, { session, keys, record }: KeepingScene): Promise<StepResult> {
  const place = await lockLog(session, step.namespace)
  if (place === null) return nothing
  const { holds, spoiledAt } = await readHolds(session, place.log, step.namespace)
  if (spoiledAt !== null) return { ...nothing, stoppedAt: spoiledAt }
  if (holds.some(({ subject }) => subject === null)) return { ...nothing, held: true }
  const found = await oldRecords(session, step, place.log, place.bodiesFrom)
  const last = found.due.at(-1)
  if (last === undefined) return { ...nothing, ...stop(found) }
  const held = new Set(holds.map(({ subject }) => subject))
  const kept = new Set<number>()
  const absent = new Set<number>()
  if (held.size > 0) {
    const boxes = await session.query(ownersStatement, [place.log, place.bodiesFrom, last.idx])
    for (const row of boxes.rows) {
      // What is not there is not excused while something is held: it may have been that.
      if (row['data_key'] === null) absent.add(Number(row['idx']))
      else if (isHeld(row, held, step.namespace, keys)) kept.add(Number(row['idx']))
    }
  }
  const gone = new PositionRanges()
  for (const { idx } of found.due) if (!kept.has(idx) && !absent.has(idx)) gone.add(idx)
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
  return { removed, more: found.due.length === stepRecords, held: kept.size > 0, ...stop(found) }
}

/** Whose boxes are: by their keys, and by the texts of their records and of the decisions. */
const ownersStatement = `
  SELECT own.idx, own.id, own.time_ms, own.kind, own.call, own.leaf_hash, own.json, data_key, subject, data_keys.epoch, wrapped,
    decision.id AS decision_id, decision.time_ms AS decision_time_ms, decision.leaf_hash AS decision_leaf_hash,
    decision.json AS decision_json
  FROM records AS own LEFT JOIN bodies USING (writer, pos) LEFT JOIN data_keys USING (data_key)
    LEFT JOIN records AS decision ON decision.call = own.call AND decision.log = own.log AND decision.kind = 'decision'
  WHERE own.log = $1 AND own.idx BETWEEN $2 AND $3`

/**
 * A box of everybody's key may be of anybody, and so may one whose key's row was changed. One whose key is gone is nobody's
 * to read; but only what its record says tells that it is not one that is held under another number.
 */
function isHeld(
  row: Record<string, unknown>,
  held: ReadonlySet<string | null>,
  namespace: string,
  keys: KeepingScene['keys'],
): boolean {
  const recorded = recordedSubject(row)
  if (recorded === 'gone' || recorded.subject === null) return true
  if (row['wrapped'] === null || held.has(recorded.subject)) return held.has(recorded.subject)
  const subject = String(row['subject'])
  if (subject === '' || held.has(subject)) return true
  return !keys.isOf({ namespace, subject, epoch: Number(row['epoch']) }, row['wrapped'] as Uint8Array)
}

/** Deletes the texts of records that have had their time, with what is beside them. @throws DatabaseError */
export async function expireTexts(step: ExpiryStep, { session, record }: KeepingScene): Promise<StepResult> {
  const place = await lockLog(session, step.namespace)
  if (place === null) return nothing
  const { holds, spoiledAt } = await readHolds(session, place.log, step.namespace)
  if (spoiledAt !== null) return { ...nothing, stoppedAt: spoiledAt }
  if (holds.length > 0) return { ...nothing, held: true }
  const found = await oldRecords(session, step, place.log, place.textsFrom)
  const plan = planTexts(found.due)
  if (plan === null) return { ...nothing, ...stop(found) }
  const calls = await cutCalls(session, place, found.due, plan.below)
  const gone = [place.log, plan.gone.map(({ idx }) => idx)]
  await session.query(
    `DELETE FROM bodies USING records WHERE records.log = $1 AND idx = ANY ($2::bigint[])
       AND bodies.writer = records.writer AND bodies.pos = records.pos`,
    gone,
  )
  const { changes: removed } = await session.query(
    `UPDATE records SET json = '', principal = NULL WHERE log = $1 AND idx = ANY ($2::bigint[])`,
    gone,
  )
  // What only stays is passed together with what goes: else the record of this step would be passed by a later one, for ever.
  if (removed === 0 && found.due.length < stepRecords) return { ...nothing, ...stop(found) }
  await session.query(
    `INSERT INTO expiry (log, texts_from, bodies_from, cut_calls) VALUES ($1, $2, $2, $3) ON CONFLICT (log) DO UPDATE
       SET texts_from = excluded.texts_from, bodies_from = greatest(expiry.bodies_from, excluded.bodies_from),
         cut_calls = excluded.cut_calls`,
    [place.log, plan.below, calls],
  )
  await record(step.namespace, 'retention', plan.event({ from: place.textsFrom, calls, days: step.days }))
  return { removed, more: found.due.length === stepRecords, held: false, unread: plan.unread, ...stop(found) }
}

function stop({ stoppedAt }: DueRecords<unknown>): Pick<StepResult, 'stoppedAt'> {
  return stoppedAt === null ? {} : { stoppedAt }
}

/** The oldest records from a position on that are old enough, and may go. */
async function oldRecords(session: Session, step: ExpiryStep, log: number, from: number) {
  const readers = await readerPlaces(session, step)
  const { rows } = await session.query(
    `SELECT idx, id, kind, call, time_ms, leaf_hash, json, COALESCE(pos < open_from, FALSE) AND idx < COALESCE((
         SELECT max(first_idx + (SELECT max(size) FROM checkpoints WHERE checkpoints.tree = trees.tree))
         FROM trees WHERE trees.log = $1), 0) AS free,
       ${readers.length === 0 ? '0' : readUpTo} AS read_up_to
     FROM records AS old LEFT JOIN writers USING (writer) WHERE log = $1 AND idx >= $2 ORDER BY idx LIMIT ${stepRecords}`,
    [log, from],
  )
  const last = rows.at(-1)
  const isAhead = last !== undefined && Number(last['time_ms']) > latestMs(step)
  const beyond = isAhead
    ? await session.query(
        `SELECT id, time_ms, kind, call, leaf_hash, json FROM records
         WHERE log = $1 AND idx > $2::bigint AND idx < $2::bigint + ${lookedAhead} AND time_ms <= $3 ORDER BY idx LIMIT 1`,
        [log, Number(last['idx']), Math.floor(latestMs(step))],
      )
    : undefined
  return dueRecords(rows, step, readers, beyond?.rows[0])
}

/** Whoever is given the end of a call needs its decision. */
const readUpTo = `GREATEST(
  (SELECT ${seqOfRow} FROM records WHERE writer = old.writer AND pos = old.pos),
  CASE old.kind WHEN 'decision' THEN (
    SELECT max(${seqOfRow}) FROM records
    WHERE call = old.call AND log = old.log AND kind IN ('outcome', 'abandoned')) END)`

async function readerPlaces(session: Session, { awaited }: ExpiryStep): Promise<ReaderPlace[]> {
  const places: ReaderPlace[] = []
  for (const { name, position } of awaited?.readers ?? []) {
    const place = placeOfRecordId(position)
    const found =
      place === null
        ? []
        : (
            await session.query(
              `SELECT ${seqOfRow} AS seq FROM records WHERE writer = $1 AND pos = $2 AND id = $3::uuid`,
              [place.writer, place.position, position],
            )
          ).rows
    // Whose position is not in the log has had nothing of it.
    places.push({ name, seq: Number(found[0]?.['seq'] ?? -1) })
  }
  return places
}

/** Calls whose decision is below a position and whose end is not: with it gone, their outcomes have none before them. */
async function cutCalls(
  session: Session,
  place: LockedLog,
  old: readonly DueRecord[],
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
