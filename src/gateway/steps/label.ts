import type { IdentifiedCall, Verdict } from '../call.ts'

/** The call with the labels that its run has at this moment: other calls of the run may have gathered more since. */
export function label(call: IdentifiedCall): IdentifiedCall {
  return { ...call, labels: call.currentRun.labels }
}

/**
 * Gives the run what an allowed call brings into it. From here on, and not from its end: what it takes in can reach the
 * caller while it is still under way, and every call that is decided after this one is decided with it.
 */
export function gatherLabels(call: IdentifiedCall, verdict: Verdict): void {
  if (verdict.kind === 'allowed') call.currentRun.gather(verdict.entry?.labels ?? [])
}
