import type { AddressRules } from './address-rules.ts'
import { checkTarget, type ResolveName, type Target } from './check-target.ts'
import { resolveBySystem } from './resolve-by-system.ts'

/**
 * Whether a URL leads to addresses that the rules allow, for URLs that somebody else will go to: a person's browser
 * resolves the name anew, so an answer now promises nothing about then.
 */
export type TargetCheck = (url: string, allow: AddressRules) => Promise<Target>

/** Makes the check over the system's resolver, unless told otherwise. */
export function createTargetCheck(resolve: ResolveName = resolveBySystem): TargetCheck {
  return (url, allow) => checkTarget(url, allow, resolve)
}
