import type { DecisionLog } from '../audit/index.ts'
import type { Log } from './log.ts'

/**
 * While the decision log refuses, tries every `periodMs` whether it takes a durable write again, so that calls are
 * taken again by themselves once there is room. Says in the log when that changes. Returns the way to stop.
 */
export function recheckLog(decisionLog: DecisionLog, log: Log, periodMs = 1000): () => void {
  let wasOk = true
  const timer = setInterval(() => {
    const before = decisionLog.health()
    if (before.ok && wasOk) return
    decisionLog.recheck().then(
      (after) => {
        if (!after.ok && wasOk)
          log.error({ reason: after.reason }, 'the decision log cannot be written: every call is refused')
        if (after.ok && !wasOk) log.info('the decision log can be written again')
        wasOk = after.ok
      },
      (error: unknown) => log.error({ err: error }, 'the decision log could not be checked'),
    )
  }, periodMs)
  timer.unref()
  return () => clearInterval(timer)
}
