import { isJsonObject } from '../kernel/index.ts'
import type { RecordDraft } from './record.ts'
import { parseObject } from './stored-envelope.ts'

/**
 * Whose the bodies of a draft are: the principal that the call is for in the end, whoever acts for it. They are sealed
 * under a key of that principal's own. `null` for a draft that has no bodies.
 */
export function subjectOf(draft: RecordDraft): string | null {
  switch (draft.kind) {
    case 'decision': {
      const { id, onBehalfOf } = draft.pre.principal
      return (onBehalfOf.at(-1) ?? id).toWellFormed()
    }
    case 'outcome':
      return draft.subject.toWellFormed()
    default:
      return null
  }
}

/** The same of a decision's text; `null` where it is none. */
export function subjectOfDecision(json: string): string | null {
  const pre = parseObject(json)?.['pre']
  const principal = isJsonObject(pre) ? pre['principal'] : null
  if (!isJsonObject(principal)) return null
  const { id, on_behalf_of: actedFor } = principal
  const last = Array.isArray(actedFor) ? (actedFor.at(-1) ?? id) : id
  return typeof last === 'string' ? last : null
}
