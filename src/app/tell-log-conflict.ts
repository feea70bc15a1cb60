import type { DecisionLog } from '../audit/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { LogConflict } from '../publishing/index.ts'
import { alarmRecords } from './alarm-records.ts'
import type { Log } from './log.ts'

/** A note of a log is a few hundred bytes; what lies at a place may be anything. */
const maxQuotedLength = 8192

/**
 * Tells of something outside that is not of this log: to the operator, and with a record of kind `alarm`,
 * which holds both checkpoints, because two that do not fit and bear the same key's signature are what proves a fork.
 */
export function tellLogConflict(
  decisionLog: Pick<DecisionLog, 'append'>,
  clock: Clock,
  log: Log,
): (conflict: LogConflict) => Promise<void> {
  const record = alarmRecords(decisionLog, clock)
  return async ({ where, tree, problem, ours, theirs }) => {
    const quoted = theirs?.slice(0, maxQuotedLength).toWellFormed() ?? null
    await record(tree.namespace, {
      type: 'log-conflict',
      where,
      period: tree.period,
      problem,
      ours,
      theirs: quoted,
    })
    log.error({ where, ...tree, problem }, 'what is kept outside is not of this log: one of the two was changed')
  }
}
