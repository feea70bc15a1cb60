import type { Hold } from '../../../audit/index.ts'
import type { KeepingAnswer, KeepingTask } from '../../keeping-task.ts'
import { erasePrincipal, sweepErased } from './erase-principal.ts'
import { expireBodies, expireTexts } from './expire-records.ts'
import type { KeepingScene } from './keeping-scene.ts'
import { lockLog, readHolds } from './stored-holds.ts'

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
      return erasePrincipal(task, scene)
    case 'sweep-erased':
      return sweepErased(scene)
  }
}

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
  const hold = (await readHolds(session, place.log, namespace)).holds.find((one) => one.id === id)
  if (hold === undefined) return null
  await record(namespace, 'legal-hold', { type: 'lifted', hold: id, subject: hold.subject, reason, by })
  await session.query('DELETE FROM holds WHERE hold = $1', [id])
  // What the hold kept is behind where expiry has come to.
  await session.query('UPDATE expiry SET bodies_from = texts_from WHERE log = $1', [place.log])
  return hold
}
