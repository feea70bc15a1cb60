import type { IdentifiedCall, Target } from '../call.ts'
import type { ObservedCall, ShadowWatch } from '../shadow-watch.ts'
import { questionOf } from './decide.ts'
import type { Judgement } from './judge.ts'

/**
 * Shows the decided call to the policies that are tried in its namespace. What policy would not be asked about under
 * any set (arguments that break the schema, calls that code may not make, names of nothing) is not shown. Cannot fail
 * the call: the verdict is made and recorded, nothing here is waited for, and what goes wrong is only reported.
 */
export function observeShadow(
  call: IdentifiedCall,
  target: Target,
  judged: Judgement,
  shadow: ShadowWatch,
  report: (call: string, error: unknown) => void,
): void {
  try {
    if (!shadow.watches(call.namespace)) return
    const observed = observedCall(call, target, judged)
    if (observed !== null) shadow.observe(observed)
  } catch (error) {
    // The decision in force stands, whatever is wrong with what is tried beside it.
    report(call.call, error)
  }
}

function observedCall(call: IdentifiedCall, target: Target, { verdict, atMs, use }: Judgement): ObservedCall | null {
  if (verdict.kind === 'invalid' || verdict.kind === 'barred') return null
  const isOperation = ['manage', 'approve', 'audit'].includes(call.effect.kind)
  if (isOperation ? verdict.kind === 'unknown' : target.entry === null) return null
  const approved = 'approval' in verdict && verdict.approval?.kind === 'granted'
  return {
    call: call.call,
    request: questionOf(call, target, atMs, use, approved),
    decision: 'decision' in verdict ? verdict.decision : null,
    definitionHash: target.entry?.definitionHash ?? null,
    bodyBytes: call.facts.bodyBytes ?? 0,
  }
}
