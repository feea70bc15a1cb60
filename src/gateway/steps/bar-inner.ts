import type { IdentifiedCall, Verdict } from '../call.ts'
import { depthOf } from '../inner-calls.ts'

/** Calls inside calls beyond the first. A function that calls itself is stopped here. */
const maxDepth = 4

/**
 * What running code may never ask for, whatever policy permits its caller: a tool that its definition does not declare,
 * or a call inside too many others. `null` for calls that agents make themselves, and for those that are within bounds.
 * Says nothing of whether the tool exists.
 */
export function barInner(call: IdentifiedCall): Extract<Verdict, { kind: 'barred' }> | null {
  const { parent, effect } = call
  if (parent === undefined || effect.kind !== 'call') return null
  if (!parent.mayCall.includes(effect.tool))
    return {
      kind: 'barred',
      sentence: `This function does not declare that it calls ${effect.tool}: its author names the tools it may call under "calls" in service.yaml.`,
    }
  if (depthOf(call) > maxDepth)
    return { kind: 'barred', sentence: `Functions may call each other ${maxDepth} deep, and this is one more.` }
  return null
}
