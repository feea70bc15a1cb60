import type { RecordDraft } from './record.ts'

/** In how many places secrets were taken out of each body of a record. */
export interface Redactions {
  readonly input: number
  readonly output: number
  readonly engineInput: number
}

/** The counts of a draft as they go to the writer: three numbers with commas, empty where there are none. */
export function redactionsOf(draft: RecordDraft): string {
  const counts =
    draft.kind === 'decision'
      ? [draft.bodies.input?.redactions ?? 0, 0, draft.bodies.engineInput?.redactions ?? 0]
      : draft.kind === 'outcome'
        ? [0, draft.bodies.output?.redactions ?? 0, 0]
        : []
  return counts.some((count) => count > 0) ? counts.join(',') : ''
}

/** What `redactionsOf` wrote. */
export function parseRedactions(text: string): Redactions {
  const [input = 0, output = 0, engineInput = 0] = text === '' ? [] : text.split(',').map(Number)
  return { input, output, engineInput }
}
