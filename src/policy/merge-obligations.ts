import { leastLevel, type BodyLevel } from '../kernel/index.ts'
import { forcedProfiles, parseObligations, type ForcedProfile, type Obligation } from './obligation.ts'

/** What has to be done for one call: every obligation of every permit that allowed it. */
export interface Duties {
  /** Names of fields, sorted, each once. */
  readonly redact: readonly string[]
  /** The smallest number that a permit says; `null` where none does. */
  readonly limitRows: number | null
  /** Names of channels, sorted, each once. */
  readonly notify: readonly string[]
  /** The strictest that a permit says; `null` where none does. */
  readonly profile: ForcedProfile | null
  /** The least that is to be kept; `null` where no permit says. */
  readonly record: BodyLevel | null
}

/**
 * Puts the annotations of all determining permits together. Nothing that one of them demands is lost because another
 * does not demand it: the strictest wins.
 * @throws Error for a text that does not parse; `checkPolicies` lets none into a set.
 */
export function mergeObligations(texts: readonly string[]): Duties {
  const all = texts.flatMap(obligationsOf)
  const rows = all.flatMap((one) => (one.kind === 'limit-rows' ? [one.rows] : []))
  const ranks = all.flatMap((one) => (one.kind === 'profile' ? [forcedProfiles.indexOf(one.profile)] : []))
  return {
    redact: unique(all.flatMap((one) => (one.kind === 'redact' ? one.fields : []))),
    limitRows: rows.length === 0 ? null : Math.min(...rows),
    notify: unique(all.flatMap((one) => (one.kind === 'notify' ? one.channels : []))),
    profile: forcedProfiles[Math.max(-1, ...ranks)] ?? null,
    record: leastLevel(all.flatMap((one) => (one.kind === 'record' ? [one.level] : []))),
  }
}

function obligationsOf(text: string): readonly Obligation[] {
  const parsed = parseObligations(text)
  if (!parsed.ok) throw new Error(`an obligation in force does not parse: ${parsed.fault.message}`)
  return parsed.obligations
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}
