import type { DatabaseSync } from 'node:sqlite'
import type { ErasureResult, Hold, StepResult } from '../audit/index.ts'
import type { KeepingScene } from './keeping-scene.ts'
import type { KeepingTask } from './keeping-task.ts'
import { erasedKeys, sweptBodies, uncoveredErasure } from './keeping/swept-bodies.ts'
import { holdsOn } from './keeping/recorded-holds.ts'
import { readHolds } from './stored-holds.ts'

/** Records that one step looks at. */
const stepRecords = 1000

const nothing: StepResult = { removed: 0, more: false, held: false }

/**
 * Deletes a principal's keys in every namespace in which no hold is in the way. Inside the writer's transaction.
 * @throws SQLite's own errors
 */
export function erasePrincipal(task: Extract<KeepingTask, { kind: 'erase' }>, scene: KeepingScene): ErasureResult {
  const { subject, by, call } = task
  const inTheWay: Hold[] = []
  const namespaces: { namespace: string; keys: number }[] = []
  for (const { log, namespace } of logsOfSubject(scene.database, subject)) {
    const holds = holdsOn(subject, namespace, readHolds(scene.database, log))
    if (holds.length === 0) namespaces.push({ namespace, keys: eraseIn(log, namespace, task, scene) })
    else
      scene.record(namespace, 'erasure', {
        type: 'held',
        subject,
        holds: holds.map(({ id }) => id),
        by,
        asked_in: call,
      })
    inTheWay.push(...holds)
  }
  if (namespaces.length === 0 && inTheWay.length > 0) return { kind: 'held', holds: inTheWay }
  return { kind: 'erased', namespaces, holds: inTheWay }
}

function eraseIn(
  log: number,
  namespace: string,
  { subject, by, call }: Extract<KeepingTask, { kind: 'erase' }>,
  { database, keys, record }: KeepingScene,
): number {
  const found = database
    .prepare('SELECT data_key, epoch, wrapped FROM data_keys WHERE subject = ? AND log = ?')
    .all(subject, log)
    // One whose row was changed may be of a principal on hold. Nobody can open it as it stands there.
    .filter((row) => keys.isOf({ namespace, subject, epoch: Number(row['epoch']) }, row['wrapped'] as Uint8Array))
  const ids = found.map((row) => Number(row['data_key'])).toSorted((one, other) => one - other)
  const remove = database.prepare('DELETE FROM data_keys WHERE data_key = ?')
  for (const id of ids) remove.run(id)
  keys.forget(log, subject)
  const position = record(namespace, 'erasure', { type: 'keys', subject, keys: ids, by, asked_in: call })
  database
    .prepare('INSERT INTO erasures (log, subject, next_idx, end_idx) VALUES (?, ?, 0, ?)')
    .run(log, subject, position)
  return ids.length
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

/**
 * Deletes some of what was sealed under keys that were erased, as far as the records say so: that of the erasure names the
 * keys, those of the calls whose it was. What is stored beside them tells only where to look.
 * @throws SQLite's own errors
 */
export function sweepErased({ database, record }: KeepingScene): StepResult {
  const due = database
    .prepare('SELECT erasure, log, namespace, subject, next_idx, end_idx FROM erasures JOIN logs USING (log) LIMIT 1')
    .get()
  if (due === undefined) return nothing
  const [namespace, subject, end] = [String(due['namespace']), String(due['subject']), Number(due['end_idx'])]
  const keys = erasedKeys(
    database
      .prepare('SELECT ? AS subject, id, time_ms, kind, call, leaf_hash, json FROM records WHERE log = ? AND idx = ?')
      .get(subject, due['log'] as number, end),
  )
  const forget = (): void => void database.prepare('DELETE FROM erasures WHERE erasure = ?').run(Number(due['erasure']))
  // Retention takes no record's text before what was beside the records below it.
  if (keys === 'gone') {
    forget()
    return { ...nothing, more: true }
  }
  if (keys === null) {
    const event = uncoveredErasure(subject, end)
    forget()
    record(namespace, 'alarm', event)
    return { ...nothing, more: true, uncovered: { namespace, event } }
  }
  const to = Math.min(end, Number(due['next_idx']) + stepRecords)
  const boxes = database
    .prepare(boxesStatement)
    .all(Number(due['log']), Number(due['next_idx']), to)
    .filter((row) => keys.has(Number(row['data_key'])))
  const { covered, event, alarm } = sweptBodies(boxes, { subject, erasure: end })
  const remove = database.prepare('DELETE FROM bodies WHERE seq = ?')
  for (const { seq } of covered) remove.run(seq as number)
  if (to >= end) forget()
  else database.prepare('UPDATE erasures SET next_idx = ? WHERE erasure = ?').run(to, Number(due['erasure']))
  if (event !== null) record(namespace, 'erasure', event)
  if (alarm !== null) record(namespace, 'alarm', alarm)
  const uncovered = alarm === null ? {} : { uncovered: { namespace, event: alarm } }
  return { removed: covered.length, more: true, held: false, ...uncovered }
}

const boxesStatement = `
  SELECT own.seq, own.idx, own.id, own.time_ms, own.kind, own.call, own.leaf_hash, own.json, data_key,
    decision.id AS decision_id, decision.time_ms AS decision_time_ms, decision.leaf_hash AS decision_leaf_hash,
    decision.json AS decision_json
  FROM records AS own JOIN bodies USING (seq)
    LEFT JOIN records AS decision ON decision.call = own.call AND decision.log = own.log AND decision.kind = 'decision'
  WHERE own.log = ? AND own.idx >= ? AND own.idx < ? ORDER BY own.idx`
