import type { JsonValue } from '../../kernel/index.ts'

/** A name to show to people: at most 60 characters, none that hide others or change their order. */
export function readClientName(value: JsonValue | undefined): string | null {
  if (typeof value !== 'string') return null
  const shown = value
    .normalize('NFC')
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
  return shown === '' ? null : Array.from(shown).slice(0, 60).join('')
}
