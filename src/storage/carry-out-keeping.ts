import type { DatabaseSync } from 'node:sqlite'
import type { Hold } from '../audit/index.ts'
import { erasePrincipal, sweepErased } from './erase-principal.ts'
import { expireBodies, expireTexts } from './expire-records.ts'
import type { KeepingAnswer, KeepingTask } from './keeping-task.ts'
import type { KeepingScene } from './keeping-scene.ts'
import { findLog, readHolds } from './stored-holds.ts'

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
      return erasePrincipal(task, scene)
    case 'sweep-erased':
      return sweepErased(scene)
  }
}

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
  const hold = readHolds(database, log).holds.find((one) => one.id === id)
  if (hold === undefined) return null
  record(namespace, 'legal-hold', { type: 'lifted', hold: id, subject: hold.subject, reason, by })
  database.prepare('DELETE FROM holds WHERE hold = ?').run(id)
  // What the hold kept is behind where expiry has come to.
  database.prepare('UPDATE logs SET bodies_from = texts_from WHERE log = ?').run(log)
  return hold
}

function logOf(database: DatabaseSync, namespace: string): number {
  return findLog(database, namespace)?.log ?? -1
}
