import type { IdentifiedCall, Target, Verdict } from '../call.ts'
import type { GatewayPorts, SchemaProblem } from '../ports.ts'
import type { CountedCall, UsageKey } from '../usage/usage-ledger.ts'
import { barInner } from './bar-inner.ts'
import { countUse, type Use } from './count-use.ts'
import { decide } from './decide.ts'
import { gatherLabels, label } from './label.ts'

/** A verdict with what it was made from. */
export interface Judgement {
  /** The call with the labels that it was decided with. */
  readonly call: IdentifiedCall
  readonly verdict: Verdict
  readonly atMs: number
  /** What the caller had used; `null` where that is not counted. */
  readonly use: Use | null
  readonly counted: CountedCall | null
}

/**
 * Reads what the caller has used and the labels of its run, decides, and counts what is allowed, with the labels that it
 * brings. Nothing is awaited in between: calls that come at once must not pass a limit together.
 */
export function judge(
  entered: IdentifiedCall,
  target: Target,
  problems: readonly SchemaProblem[],
  key: UsageKey | null,
  ports: Pick<GatewayPorts, 'policy' | 'usage' | 'clock'>,
  approved = false,
): Judgement {
  const atMs = ports.clock.nowMs()
  const call = label(entered)
  const use = key === null ? null : { key, before: ports.usage.read(key) }
  const verdict = barInner(call) ?? decide(call, target, problems, ports, atMs, use, approved)
  gatherLabels(call, verdict)
  return { call, verdict, atMs, use, counted: countUse(verdict, use, ports.usage) }
}
