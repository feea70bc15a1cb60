import { describe, expect, it } from 'vitest'
import { printable, printableJson, printableLine } from './printable.ts'

const escape = '\u001b[2J'
const c1 = '\u009b31m'
const turned = '\u202egnp.exe'
const tag = '\u{e0041}'

describe('text for a terminal', () => {
  it.each([escape, c1, turned, tag, '\r', '\u2028', '\u200f'])('holds nothing that drives it: %j', (hostile) => {
    expect(printable(`a${hostile}b`)).not.toContain(hostile)
    expect(printableLine(`a${hostile}b`)).not.toContain(hostile)
    expect(printableJson({ text: `a${hostile}b` })).not.toContain(hostile)
  })

  it('stays what it was where it is harmless', () => {
    const text = 'naïve 日本\n\t👩‍💻 "quoted" \\'
    expect(printable(text)).toBe(text)
    expect(JSON.parse(printableJson({ text }, 2))).toEqual({ text })
  })

  it('means the same as JSON, whatever it holds', () => {
    const value = { [`${c1}${tag}`]: [escape, turned, '\ud800'] }
    expect(JSON.parse(printableJson(value))).toEqual(value)
  })

  it('in a list stays on its line', () => {
    expect(printableLine('a\n    7  2026-01-01T00:00:00Z  decision\tallow')).toBe(
      'a\\u{a}    7  2026-01-01T00:00:00Z  decision\\u{9}allow',
    )
  })
})
