import type { LogReader, StepResult, UnreadTexts } from '../../audit/index.ts'
import type { RetentionTime } from './open-retention-clock.ts'
import type { KeepingProblem } from './watch-keeping.ts'

/** Names problems, so that they can be settled. */
export const problemIds = {
  clock: 'clock',
  stopped: (namespace: string, what: string): string => `stopped ${namespace} ${what}`,
  unread: (namespace: string, reader: LogReader['name']): string => `unread ${namespace} ${reader}`,
}

/** The clock of the machine is not believed. */
export function clockAhead({ timeMs, aheadMs }: RetentionTime): KeepingProblem {
  const counted = new Date(timeMs).toISOString()
  const clock = new Date(timeMs + aheadMs).toISOString()
  return {
    id: problemIds.clock,
    namespace: 'platform',
    event: { type: 'clock-ahead', counted, clock },
    detail: `the clock says ${clock}, and retention has counted up to ${counted}: it is not believed, and nothing goes that is not due by the time that passes here`,
    remedy:
      'set the clock right; where it is right, raise gateway.auditClockJumpDays for one start, and what is due goes, a day in an hour',
  }
}

/** A row says something else than its text. */
export function stoppedAt(namespace: string, what: 'bodies' | 'texts', position: number): KeepingProblem {
  return {
    id: problemIds.stopped(namespace, what),
    namespace,
    event: { type: 'retention-stopped', what, position },
    detail: `the row of record ${position} of ${namespace} is not as it was written: nothing of ${namespace} is deleted from there on`,
    remedy: 'run "mcpworks audit verify", which tells what was changed, and restore a backup',
  }
}

/** Texts went that somebody had not had. */
export function textsUnread(namespace: string, { reader, records, since }: UnreadTexts): KeepingProblem {
  return {
    id: problemIds.unread(namespace, reader),
    namespace,
    event: { type: 'texts-unread', reader, since },
    detail: `texts of ${records} records of ${namespace}, from position ${since} on, went although "${reader}" had not had them: they were waited for as long as gateway.auditWaitDays says`,
    remedy: 'see to the receiver, or take it out of the configuration; what went cannot be sent to it any more',
  }
}

/** An erasure was to sweep what it does not cover. */
export function uncoveredErasure({ namespace, event }: NonNullable<StepResult['uncovered']>): KeepingProblem {
  return {
    id: `uncovered ${namespace} ${JSON.stringify(event)}`,
    namespace,
    event,
    detail: `what an erasure in ${namespace} was to delete is not what its record and those of the calls say, and stays: somebody changed the database`,
    remedy: 'run "mcpworks audit verify", which tells what was changed; the record of kind alarm names the positions',
  }
}
