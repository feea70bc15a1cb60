import type { GuardedFetch } from '../egress/index.ts'
import type { Clock } from '../kernel/index.ts'
import { openPublishing, type Publishing, type PublishingConfig } from '../publishing/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Log } from './log.ts'
import { tellLogConflict } from './tell-log-conflict.ts'

/**
 * Publishes the signed log as the configuration says, and tells the operator how it fares. Tells first where the log is
 * another one than the data directory has seen.
 */
export async function publishLog({
  config,
  storage,
  fetch,
  clock,
  log,
}: {
  readonly config: PublishingConfig
  readonly storage: Pick<Storage, 'decisionLog' | 'trees' | 'logPositions' | 'cosignatures' | 'differences'>
  readonly fetch: GuardedFetch
  readonly clock: Clock
  readonly log: Log
}): Promise<Publishing> {
  const alarm = tellLogConflict(storage.decisionLog, clock, log)
  for (const difference of storage.differences) await alarm({ where: 'audit.seen', ...difference })
  return openPublishing({
    config,
    reader: storage.trees,
    positions: storage.logPositions,
    cosignatures: storage.cosignatures,
    fetch,
    clock,
    alarm,
    onChange({ name, status, problem }) {
      if (status === 'ok') log.info({ place: name }, 'the log is published there again')
      else log.error({ place: name, why: problem }, 'the log cannot be published there')
    },
    onFailure: (error) => log.error({ err: error }, 'the log could not be read to be published'),
  })
}
