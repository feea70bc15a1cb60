import type { ParsedPolicy } from './policy-set.ts'
import { outcome, staticOutcome, type KnownRequest } from './static-outcome.ts'

/**
 * Whether some arguments in some circumstances might be allowed by the policies in scope. False only if every request
 * would be denied: a forbid that always holds (or fails), or no permit that can hold. May answer true for what is denied
 * every time.
 */
export function mightBeAllowed(request: KnownRequest, policies: readonly ParsedPolicy[]): boolean {
  let permitted = false
  for (const { json } of policies) {
    const mask = staticOutcome(json, request)
    if (mask === outcome.error) return false
    if (json.effect === 'permit') permitted ||= (mask & outcome.true) !== 0
    else if ((mask & outcome.false) === 0) return false
  }
  return permitted
}
