import type { Config } from '../../config/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { Storage } from '../../storage/index.ts'
import type { Log } from '../log.ts'
import { awaitedReaders } from './awaited-readers.ts'
import type { Recording } from './open-recording.ts'
import { openRetentionClock } from './open-retention-clock.ts'
import { startSweeper, type Sweeper } from './start-sweeper.ts'
import { watchKeeping, type KeepingWatch } from './watch-keeping.ts'

/** What deletes what is over its time, and what there is to say about it. */
export interface Keeping extends Sweeper, Pick<KeepingWatch, 'problems'> {}

/** Composes the sweeper, the time that it goes by, and how operators are told. @throws McpworksError `storage_unavailable` */
export async function openKeeping(parts: {
  readonly storage: Pick<Storage, 'decisionLog' | 'keeper' | 'retentionClock' | 'logPositions'>
  readonly config: Pick<Config, 'gateway' | 'exporters'>
  readonly recording: Pick<Recording, 'inForce'>
  readonly namespaces: () => readonly string[]
  readonly clock: Clock
  readonly log: Log
}): Promise<Keeping> {
  const { storage, config, recording, namespaces, clock, log } = parts
  const { decisionLog, keeper } = storage
  const watch = watchKeeping({ decisionLog, clock, log })
  const retentionClock = await openRetentionClock({
    store: storage.retentionClock,
    decisionLog,
    clock,
    jumpDays: config.gateway.auditClockJumpDays,
  })
  const sweeper = startSweeper({
    keeper,
    recording,
    namespaces: () => ['platform', ...namespaces()],
    clock: retentionClock,
    readers: awaitedReaders(storage.logPositions, config.exporters, config.gateway.notifications),
    waitDays: config.gateway.auditWaitDays,
    watch,
    onFailure: (error) => log.error({ err: error }, 'what should not be kept any longer could not be deleted'),
  })
  return { ...sweeper, problems: watch.problems }
}
