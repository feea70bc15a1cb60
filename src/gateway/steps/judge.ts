import type { IdentifiedCall, Target, Verdict } from '../call.ts'
import type { GatewayPorts, SchemaProblem } from '../ports.ts'
import type { CountedCall, UsageKey } from '../usage/usage-ledger.ts'
import { barInner } from './bar-inner.ts'
import { countUse, type Use } from './count-use.ts'
import { decide } from './decide.ts'

/** A verdict with what it was made from. */
export interface Judgement {
  readonly verdict: Verdict
  readonly atMs: number
  /** What the caller had used; `null` where that is not counted. */
  readonly use: Use | null
  readonly counted: CountedCall | null
}

/**
 * Reads what the caller has used, decides, and counts what is allowed. Nothing is awaited in between: calls that come at
 * once must not pass a limit together.
 */
export function judge(
  call: IdentifiedCall,
  target: Target,
  problems: readonly SchemaProblem[],
  key: UsageKey | null,
  ports: Pick<GatewayPorts, 'policy' | 'usage' | 'clock'>,
  approved = false,
): Judgement {
  const atMs = ports.clock.nowMs()
  const use = key === null ? null : { key, before: ports.usage.read(key) }
  const verdict = barInner(call) ?? decide(call, target, problems, ports, atMs, use, approved)
  return { verdict, atMs, use, counted: countUse(verdict, use, ports.usage) }
}
