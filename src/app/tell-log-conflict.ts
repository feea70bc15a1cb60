import type { DecisionLog } from '../audit/index.ts'
import { uuidv7, type Clock } from '../kernel/index.ts'
import type { LogConflict } from '../publishing/index.ts'
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
  return async ({ where, tree, problem, ours, theirs }) => {
    const id = uuidv7(clock.nowMs())
    await decisionLog.append({
      kind: 'alarm',
      namespace: tree.namespace,
      run: id,
      call: id,
      parentCall: null,
      trace: null,
      event: {
        type: 'log-conflict',
        where,
        period: tree.period,
        problem,
        ours,
        theirs: theirs?.slice(0, maxQuotedLength).toWellFormed() ?? null,
      },
    })
    log.error({ where, ...tree, problem }, 'what is kept outside is not of this log: one of the two was changed')
  }
}
