import { redactionsOf, type RecordDraft } from '../audit/index.ts'
import type { AppendItem } from './worker-protocol.ts'

/** The texts that a draft wants to have kept beside its record. */
export function draftBodies(draft: RecordDraft): Pick<AppendItem, 'input' | 'output' | 'engineInput' | 'redactions'> {
  const none = { input: null, output: null, engineInput: null, redactions: redactionsOf(draft) }
  if (draft.kind === 'decision') {
    return { ...none, input: draft.bodies.input?.json ?? null, engineInput: draft.bodies.engineInput?.json ?? null }
  }
  return draft.kind === 'outcome' ? { ...none, output: draft.bodies.output?.json ?? null } : none
}
