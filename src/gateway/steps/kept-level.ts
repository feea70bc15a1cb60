import { leastLevel, type BodyLevel } from '../../kernel/index.ts'
import type { IdentifiedCall, Target, Verdict } from '../call.ts'
import type { GatewayPorts } from '../ports.ts'
import type { Redaction } from '../recorded/redaction.ts'

/** What may be kept of an exchange. */
export interface Keeping {
  readonly level: BodyLevel
  /** Takes secrets out of it; the same for all bodies of the exchange. */
  readonly redaction: Redaction
}

/**
 * How much of the exchange is kept beside its records: the least of what the namespace says and of what policies say.
 * What is refused before policy judged it is kept as the strictest policy in scope would have it, because nobody knows
 * which of them was written for it; what is not there needs no arguments.
 */
export function keptLevel(
  { caller: { principal }, namespace }: IdentifiedCall,
  { action, resource }: Target,
  verdict: Verdict,
  { policy, recording }: Pick<GatewayPorts, 'policy' | 'recording'>,
): BodyLevel {
  if (verdict.kind === 'unknown') return 'metadata'
  const { type, id, namespace: home, groups } = principal
  const said =
    'decision' in verdict
      ? verdict.decision.recordLevel
      : policy.recordLevel({ principal: { type, id, namespace: home, groups }, action, resource })
  const own = recording.level(namespace)
  return leastLevel(said === null ? [own] : [own, said]) ?? 'metadata'
}
