import { leastLevel, type BodyLevel } from '../kernel/index.ts'
import { parseObligations } from './obligation.ts'
import type { ParsedPolicy } from './policy-set.ts'

/** The least that these policies say is to be kept of an exchange; `null` where none of them says. */
export function recordLevelOf(policies: readonly ParsedPolicy[]): BodyLevel | null {
  return leastLevel(policies.flatMap(({ obligation }) => (obligation === null ? [] : levelsIn(obligation))))
}

/** A text that does not parse is in no set that is in force; should one be, nothing is kept. */
function levelsIn(text: string): readonly BodyLevel[] {
  const parsed = parseObligations(text)
  if (!parsed.ok) return ['metadata']
  return parsed.obligations.flatMap((one) => (one.kind === 'record' ? [one.level] : []))
}
