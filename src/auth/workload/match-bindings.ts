import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import type { ActiveCredential } from '../identity-registry.ts'
import { readBindingDetails } from './binding-details.ts'
import { matchesPattern } from './match-pattern.ts'

/** What one binding makes of verified claims. */
export interface BindingVerdict {
  readonly binding: ActiveCredential
  /** How many claims it asks for. */
  readonly asked: number
  /** Claims that did not match; empty where the binding matches. Names are those of the binding, never of the claims. */
  readonly mismatches: readonly {
    readonly claim: string
    readonly why: 'absent' | 'not text' | 'different'
  }[]
}

/** Whose claims these are, or why that is not known. */
export type BindingChoice =
  | { readonly ok: true; readonly binding: ActiveCredential }
  | {
      readonly ok: false
      /** For the operator: names of claims and bindings, never a value that was presented. */
      readonly reason: string
    }

/**
 * Judges claims of an issuer by every binding that names this issuer. The claims must have been verified, and `issuer`
 * must be the trusted name under which they were.
 */
export function judgeBindings(
  issuer: string,
  claims: JsonObject,
  bindings: readonly ActiveCredential[],
): BindingVerdict[] {
  return bindings.flatMap((binding) => {
    const details = readBindingDetails(binding.credential.details)
    if (details === null || details.issuer !== issuer) return []
    const asked = Object.entries(details.match)
    const mismatches = asked.flatMap(([claim, pattern]) => {
      const why = mismatch(claims, claim, pattern)
      return why === null ? [] : [{ claim, why }]
    })
    return [{ binding, asked: asked.length, mismatches }]
  })
}

/**
 * Chooses the one principal whose binding matches. Nothing that matches, or bindings of two principals that do, is a
 * refusal. Of several bindings of one principal the one that asks for most is taken.
 */
export function chooseBinding(
  issuer: string,
  claims: JsonObject,
  bindings: readonly ActiveCredential[],
): BindingChoice {
  const verdicts = judgeBindings(issuer, claims, bindings)
  const matching = verdicts
    .filter(({ mismatches }) => mismatches.length === 0)
    .sort((a, b) => b.asked - a.asked || (a.binding.credential.id < b.binding.credential.id ? -1 : 1))
  const [first] = matching
  if (first === undefined) return { ok: false, reason: whyNone(verdicts) }
  const principals = new Set(matching.map(({ binding }) => binding.principal.id))
  if (principals.size > 1) {
    return { ok: false, reason: `bindings of ${principals.size} principals match: ${namesOf(matching)}` }
  }
  return { ok: true, binding: first.binding }
}

/** The nearest miss says more than all of them. */
function whyNone(verdicts: readonly BindingVerdict[]): string {
  const nearest = verdicts.toSorted((a, b) => a.mismatches.length - b.mismatches.length)[0]
  if (nearest === undefined) return 'no binding names this issuer'
  const { binding, mismatches } = nearest
  const claims = mismatches.map(({ claim, why }) => `${claim} ${why}`).join(', ')
  return `no binding matches; nearest ${binding.credential.id} of ${binding.principal.id}: ${claims}`
}

function namesOf(verdicts: readonly BindingVerdict[]): string {
  return verdicts
    .slice(0, 4)
    .map(({ binding }) => `${binding.credential.id} of ${binding.principal.id}`)
    .join(', ')
}

/** Own members only, so that no claim is found that the issuer did not write. A list matches by any of its texts. */
function mismatch(
  claims: JsonObject,
  claim: string,
  pattern: string,
): BindingVerdict['mismatches'][number]['why'] | null {
  if (!Object.hasOwn(claims, claim)) return 'absent'
  const value: JsonValue | undefined = claims[claim]
  if (Array.isArray(value)) {
    return value.some((member) => typeof member === 'string' && matchesPattern(member, pattern)) ? null : 'different'
  }
  const text = typeof value === 'boolean' || typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string') return 'not text'
  return matchesPattern(text, pattern) ? null : 'different'
}
