import type { DecisionLog } from '../audit/index.ts'
import type { Log } from './log.ts'

/**
 * Tells the operator when the decision log begins to refuse and when it takes records again. Only looks: the storage
 * tries by itself whether there is room again. Returns the way to stop.
 */
export function watchLog(decisionLog: DecisionLog, log: Log, periodMs = 1000): () => void {
  let wasOk = true
  const timer = setInterval(() => {
    const health = decisionLog.health()
    if (!health.ok && wasOk)
      log.error({ reason: health.reason }, 'the decision log cannot be written: every call is refused')
    if (health.ok && !wasOk) log.info('the decision log can be written again')
    wasOk = health.ok
  }, periodMs)
  timer.unref()
  return () => clearInterval(timer)
}
