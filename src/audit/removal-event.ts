import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'
import type { PositionRange } from './position-ranges.ts'

/** What a record of kind `retention`, `erasure` or `legal-hold` says. */
export type Removal =
  /** All texts from one position to below another are gone, but those of `kept`. `calls` are those whose decision is, and whose end is not. */
  | {
      readonly kind: 'texts'
      /** 0 in records of a time before they said so: the first of them began there. */
      readonly from: number
      readonly below: number
      readonly kept: readonly PositionRange[]
      readonly calls: readonly string[]
      /** The step that took them; `null` in records of a time before they said so. */
      readonly step: { readonly removed: number; readonly columns: string } | null
    }
  /** With a subject: of an erased key. */
  | { readonly kind: 'bodies'; readonly ranges: readonly PositionRange[]; readonly subject: string | null }
  | { readonly kind: 'keys'; readonly subject: string; readonly keys: readonly number[] }
  | { readonly kind: 'hold-placed'; readonly hold: string; readonly subject: string | null }
  | { readonly kind: 'hold-lifted'; readonly hold: string }

/** Reads the event of such a record; `null` for every other, and for one that says something else. */
export function readRemoval(kind: string, event: JsonValue | undefined): Removal | null {
  if (!isJsonObject(event)) return null
  if (kind !== 'retention' && kind !== 'erasure' && kind !== 'legal-hold') return null
  if (kind === 'retention') return retentionOf(event)
  return kind === 'erasure' ? erasureOf(event) : holdOf(event)
}

function retentionOf({ what, below, kept, calls, ranges, from, removed, columns }: JsonObject): Removal | null {
  if (what === 'texts') {
    const stays = kept === undefined ? [] : rangesOf(kept)
    if (!isPosition(below) || stays === null || !Array.isArray(calls)) return null
    const step = isPosition(from) && isPosition(removed) && isText(columns) ? { removed, columns } : null
    return { kind: 'texts', from: isPosition(from) ? from : 0, below, kept: stays, calls: calls.filter(isText), step }
  }
  const read = what === 'bodies' ? rangesOf(ranges) : null
  return read === null ? null : { kind: 'bodies', ranges: read, subject: null }
}

function erasureOf({ type, subject, keys, ranges }: JsonObject): Removal | null {
  if (!isText(subject)) return null
  if (type === 'keys') return Array.isArray(keys) ? { kind: 'keys', subject, keys: keys.filter(isPosition) } : null
  const read = type === 'bodies' ? rangesOf(ranges) : null
  return read === null ? null : { kind: 'bodies', ranges: read, subject }
}

function holdOf({ type, hold, subject }: JsonObject): Removal | null {
  if (!isText(hold)) return null
  if (type === 'placed') return { kind: 'hold-placed', hold, subject: isText(subject) ? subject : null }
  return type === 'lifted' ? { kind: 'hold-lifted', hold } : null
}

function rangesOf(value: JsonValue | undefined): PositionRange[] | null {
  if (!Array.isArray(value)) return null
  const ranges: PositionRange[] = []
  for (const one of value) {
    if (!Array.isArray(one)) return null
    const [from, to] = one
    if (!isPosition(from) || !isPosition(to) || to < from) return null
    ranges.push([from, to])
  }
  return ranges
}

function isPosition(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string'
}
