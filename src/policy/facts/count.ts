import { z } from 'zod'
import type { JsonValue } from '../../kernel/index.ts'
import { isText, unreadable, type Extractor } from './extractor.ts'

const parameters = z.strictObject({
  of: z.enum(['items', 'bytes', 'characters'], { error: 'count what: items, bytes or characters' }),
})

/**
 * How much its arguments hold together: items of lists, or UTF-8 bytes or Unicode code points of text and of lists of
 * text. A list counts what it repeats as often as it stands there, which a Cedar set does not.
 */
export const count: Extractor = {
  name: 'count',
  version: 1,
  parameters,
  type: { type: 'Long' },
  givesMoney: false,
  takes: { least: 1, most: 16 },
  whenAbsent: { value: 0, open: 0 },
  reads: (type, { of }) => (of === 'items' ? type.type === 'Set' : isText(type)),
  extract(inputs, { of }) {
    let total = 0
    for (const { argument, value } of inputs) {
      const size = of === 'items' ? itemsOf(value) : sizeOf(value, of === 'bytes' ? bytesOf : charactersOf)
      if (size === null) return unreadable(argument, of === 'items' ? 'is no list' : 'is not text or a list of text')
      total += size
    }
    return { ok: true, value: total, open: total }
  },
}

function itemsOf(value: JsonValue): number | null {
  return Array.isArray(value) ? value.length : null
}

function sizeOf(value: JsonValue, measure: (text: string) => number): number | null {
  let total = 0
  for (const part of Array.isArray(value) ? value : [value]) {
    if (typeof part !== 'string') return null
    total += measure(part)
  }
  return total
}

const bytesOf = (text: string): number => Buffer.byteLength(text, 'utf8')

function charactersOf(text: string): number {
  let characters = 0
  for (let index = 0; index < text.length; index += 1) {
    // The second half of a pair of surrogates belongs to the character before it.
    const unit = text.charCodeAt(index)
    if (unit < 0xdc00 || unit > 0xdfff) characters += 1
  }
  return characters
}
