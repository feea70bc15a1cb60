import type { ErasureResult, Hold, StepResult } from '../../../audit/index.ts'
import type { KeepingTask } from '../../keeping-task.ts'
import { holdsOn } from '../../keeping/recorded-holds.ts'
import { erasedKeys, sweptBodies, uncoveredErasure } from '../../keeping/swept-bodies.ts'
import type { KeepingScene } from './keeping-scene.ts'
import { readHolds } from './stored-holds.ts'

/** Records that one step looks at. */
const stepRecords = 1000

const nothing: StepResult = { removed: 0, more: false, held: false }

type Erasure = Extract<KeepingTask, { kind: 'erase' }>

/** Deletes a principal's keys in every namespace in which no hold is in the way. Inside a transaction. @throws DatabaseError */
export async function erasePrincipal(task: Erasure, scene: KeepingScene): Promise<ErasureResult> {
  const { session, record } = scene
  const { subject, by, call } = task
  // In the order in which appends lock them. A key that a writer makes from here on is made after the erasure.
  await session.query('SELECT FROM logs ORDER BY log FOR UPDATE')
  const { rows: places } = await session.query(
    `SELECT log, namespace FROM logs WHERE EXISTS (SELECT FROM records WHERE records.log = logs.log AND principal = $1)
       OR EXISTS (SELECT FROM data_keys WHERE data_keys.log = logs.log AND subject = $1) ORDER BY namespace`,
    [subject],
  )
  const inTheWay: Hold[] = []
  const namespaces: { namespace: string; keys: number }[] = []
  for (const row of places) {
    const [log, namespace] = [Number(row['log']), String(row['namespace'])]
    const holds = holdsOn(subject, namespace, await readHolds(session, log, namespace))
    if (holds.length === 0) namespaces.push({ namespace, keys: await eraseIn(log, namespace, task, scene) })
    else
      await record(namespace, 'erasure', {
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

async function eraseIn(
  log: number,
  namespace: string,
  { subject, by, call }: Erasure,
  { session, keys, record }: KeepingScene,
): Promise<number> {
  const found = await session.query(
    'SELECT data_key, epoch, wrapped FROM data_keys WHERE subject = $1 AND log = $2 ORDER BY data_key',
    [subject, log],
  )
  // One whose row was changed may be of a principal on hold. Nobody can open it as it stands there.
  const own = found.rows.filter((key) =>
    keys.isOf({ namespace, subject, epoch: Number(key['epoch']) }, key['wrapped'] as Uint8Array),
  )
  const ids = own.map((key) => Number(key['data_key']))
  await session.query('DELETE FROM data_keys WHERE data_key = ANY ($1::bigint[])', [ids])
  const position = await record(namespace, 'erasure', { type: 'keys', subject, keys: ids, by, asked_in: call })
  await session.query('INSERT INTO erasures (log, subject, keys, next_idx, end_idx) VALUES ($1, $2, $3, 0, $4)', [
    log,
    subject,
    ids,
    position,
  ])
  return ids.length
}

/**
 * Deletes some of what was sealed under keys that were erased, as far as the records say so: that of the erasure names the
 * keys, those of the calls whose it was. What is stored beside them tells only where to look.
 * @throws DatabaseError
 */
export async function sweepErased({ session, record }: KeepingScene): Promise<StepResult> {
  const { rows } = await session.query(
    `SELECT erasure, log, namespace, subject, erasures.next_idx, end_idx FROM erasures JOIN logs USING (log)
     ORDER BY erasure LIMIT 1 FOR UPDATE`,
  )
  const [due] = rows
  if (due === undefined) return nothing
  const [erasure, log, end] = [Number(due['erasure']), Number(due['log']), Number(due['end_idx'])]
  const [namespace, subject] = [String(due['namespace']), String(due['subject'])]
  const asked = await session.query(
    'SELECT $3::text AS subject, id, time_ms, kind, call, leaf_hash, json FROM records WHERE log = $1 AND idx = $2',
    [log, end, subject],
  )
  const keys = erasedKeys(asked.rows[0])
  const forget = () => session.query('DELETE FROM erasures WHERE erasure = $1', [erasure])
  // Retention takes no record's text before what was beside the records below it.
  if (keys === 'gone') {
    await forget()
    return { ...nothing, more: true }
  }
  if (keys === null) {
    const event = uncoveredErasure(subject, end)
    await forget()
    await record(namespace, 'alarm', event)
    return { ...nothing, more: true, uncovered: { namespace, event } }
  }
  const from = Number(due['next_idx'])
  const to = Math.min(end, from + stepRecords)
  const boxes = await session.query(boxesStatement, [log, from, to, [...keys]])
  const { covered, event, alarm } = sweptBodies(boxes.rows, { subject, erasure: end })
  if (covered.length > 0)
    await session.query(
      `DELETE FROM bodies USING records WHERE records.log = $1 AND idx = ANY ($2::bigint[])
         AND bodies.writer = records.writer AND bodies.pos = records.pos`,
      [log, covered.map(({ idx }) => Number(idx))],
    )
  if (to >= end) await forget()
  else await session.query('UPDATE erasures SET next_idx = $2 WHERE erasure = $1', [erasure, to])
  if (event !== null) await record(namespace, 'erasure', event)
  if (alarm !== null) await record(namespace, 'alarm', alarm)
  const uncovered = alarm === null ? {} : { uncovered: { namespace, event: alarm } }
  return { removed: covered.length, more: true, held: false, ...uncovered }
}

const boxesStatement = `
  SELECT own.idx, own.id, own.time_ms, own.kind, own.call, own.leaf_hash, own.json,
    decision.id AS decision_id, decision.time_ms AS decision_time_ms, decision.leaf_hash AS decision_leaf_hash,
    decision.json AS decision_json
  FROM records AS own JOIN bodies USING (writer, pos)
    LEFT JOIN records AS decision ON decision.call = own.call AND decision.log = own.log AND decision.kind = 'decision'
  WHERE own.log = $1 AND own.idx >= $2 AND own.idx < $3 AND data_key = ANY ($4::bigint[]) ORDER BY own.idx`
