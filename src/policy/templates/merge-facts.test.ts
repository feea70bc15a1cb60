import { describe, expect, it } from 'vitest'
import { readFactsFile } from '../facts/facts-file.ts'
import { mergeFacts } from './merge-facts.ts'

const recipients = { extract: 'email-recipients', from: ['to', 'cc'] }
const wanted = { facts: { 'mail-send': { recipients } }, currency: null }

function merged(text: string | null): string {
  const answer = mergeFacts(text, wanted)
  if (!answer.ok) throw new Error(answer.problems.join('\n'))
  expect(readFactsFile(answer.file.text).problems).toEqual([])
  return answer.file.text
}

describe('adding facts to the file of facts', () => {
  it('makes the file where there is none', () => {
    expect(merged(null)).toBe(`# What policies know of the arguments of calls beyond their types.
facts:
  mail-send:
    recipients:
      extract: email-recipients
      from:
        - to
        - cc
`)
  })

  it('keeps what stands there, comments too', () => {
    const before = `facts:
  # Lists.
  crm-export:
    size: { extract: count, from: rows, of: items } # long
  mail-send:
    length: { extract: count, from: body, of: bytes }
`
    const after = merged(before)
    for (const line of before.trimEnd().split('\n')) expect(after).toContain(line)
    expect(readFactsFile(after).facts.bindings.map(({ tool, name }) => `${tool} ${name}`)).toEqual([
      'crm-export size',
      'mail-send length',
      'mail-send recipients',
    ])
  })

  it('changes nothing where the same fact is bound already', () => {
    const once = merged(null)
    expect(merged(once)).toBe(once)
  })

  it.each([
    [
      'the fact is bound in another way',
      'facts:\n  mail-send:\n    recipients: { extract: email-recipients, from: to }\n',
    ],
    ['the file is not YAML', 'facts: ['],
    ['the file is something else', '- 1\n'],
  ])('refuses where %s', (_, text) => {
    expect(mergeFacts(text, wanted).ok).toBe(false)
  })

  it('refuses to count in a second currency', () => {
    const euros = mergeFacts(null, { ...wanted, currency: 'EUR' })
    if (!euros.ok) throw new Error(euros.problems.join('\n'))
    expect(euros.file.text).toContain('spend:\n  currency: EUR\n')
    expect(mergeFacts(euros.file.text, { ...wanted, currency: 'USD' })).toMatchObject({ ok: false })
  })
})
