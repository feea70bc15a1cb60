/** The bodies that a record can have. */
export type BodyPart = 'input' | 'output' | 'engine_input'

const parts: readonly BodyPart[] = ['input', 'output', 'engine_input']

/** Row id of a body: four places for each record. */
export function bodySlot(seq: number, part: BodyPart): number {
  return seq * 4 + parts.indexOf(part)
}

/** The record and part that a row id stands for; `part` is `null` for the fourth place, which no part has. */
export function bodyOfSlot(slot: number): { readonly seq: number; readonly part: BodyPart | null } {
  return { seq: Math.floor(slot / 4), part: parts[slot % 4] ?? null }
}

/** What a sealed body is bound to. */
export function bodyContext(recordId: string, part: BodyPart): string {
  return `${recordId}/${part}`
}
