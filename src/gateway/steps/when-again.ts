import type { PolicyEngine, PolicyRequest } from '../../policy/index.ts'
import type { UsageLedger } from '../usage/usage-ledger.ts'
import type { Use } from './count-use.ts'

/**
 * After how many seconds the same request would be allowed, if it was denied for what its caller has used and nothing
 * more is used until then. The policies themselves are asked, at the moments at which the figures fall, so that this
 * holds for any condition. `null` where waiting until the next day (UTC) does not help, or only the end of a call under
 * way would.
 */
export function secondsUntilAllowed(
  request: PolicyRequest,
  use: Use,
  policy: PolicyEngine,
  ledger: UsageLedger,
): number | null {
  const { agent, tool } = use.before
  // Who has used nothing waits for nothing. Every other denial costs one more decision.
  if (agent.callsDay === 0 && agent.callsMinute === 0 && tool.callsDay === 0 && agent.bytesOutDay === 0) return null
  const forecasts = ledger.forecast(use.key)
  const allowedAt = (position: number): boolean => {
    const forecast = forecasts[position]
    if (forecast === undefined) return false
    const timeMs = request.context.timeMs + forecast.afterMs
    const context = { ...request.context, timeMs, usage: forecast.usage }
    return policy.decide({ ...request, context }).effect === 'allow'
  }
  let late = forecasts.length - 1
  if (!allowedAt(late)) return null
  // The figures only fall, so what is allowed at one moment is allowed later; the last found was asked for itself.
  let early = -1
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2)
    if (allowedAt(middle)) late = middle
    else early = middle
  }
  return Math.max(1, Math.ceil((forecasts[late]?.afterMs ?? 0) / 1000))
}
