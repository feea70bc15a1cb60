import type { RecordDraft } from './record.ts'

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
