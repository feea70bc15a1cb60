import { nearestName } from '../kernel/index.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { policyToJson } from './cedar.ts'
import { entityLiterals, policyTokens } from './policy-tokens.ts'
import { positionAt } from './source-position.ts'

describe('the tokens of a policy', () => {
  it('cover the text but for space and comments', () => {
    const text = '@id("a;b") // "; comment\npermit(principal,action,resource)when{context.a>=-1&&"x\\"y"like"*"};'
    const { tokens, brokenAt } = policyTokens(text)
    expect(brokenAt).toBeNull()
    expect(tokens.map((token) => token.text).join(' ')).toBe(
      '@ id ( "a;b" ) permit ( principal , action , resource ) when { context . a >= - 1 && "x\\"y" like "*" } ;',
    )
    for (const token of tokens) expect(text.slice(token.start, token.end)).toBe(token.text)
  })

  it('stop where no token begins', () => {
    expect(policyTokens('permit "x')).toMatchObject({ brokenAt: 7, tokens: [{ text: 'permit' }] })
    expect(policyTokens('a # b').brokenAt).toBe(2)
  })

  it('read strings as Cedar does, for any string', () => {
    const escaped = fc
      .array(
        fc.constantFrom('a', '\\n', '\\"', '\\\\', '\\u{1F600}', '\\x41', "\\'", '\\0', 'é', '😀', '//', ';', '\\t'),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(escaped, (inner) => {
        const text = `permit (principal == Agent::"${inner}", action, resource);`
        const answer = policyToJson(text)
        if (answer.type !== 'success' || answer.json.principal.op !== '==' || !('entity' in answer.json.principal))
          throw new Error(text)
        const [literal] = entityLiterals(policyTokens(text).tokens)
        expect(literal).toMatchObject({ type: 'Agent', start: 21 })
        expect(answer.json.principal.entity).toEqual({ type: 'Agent', id: literal?.id })
      }),
    )
  })

  it('hold entity literals with the whole path of their type', () => {
    const text = 'A::B :: "x" in [Tool::"y"] "z" :: C'
    expect(entityLiterals(policyTokens(text).tokens).map(({ type, id }) => `${type} ${id}`)).toEqual([
      'A::B x',
      'Tool y',
    ])
  })
})

describe('a place in a text', () => {
  it('counts lines and code points from 1', () => {
    const text = 'é\n😀b\n\n'
    expect(
      [0, 1, 2, 4, 5, 6, 7, 99]
        .map((offset) => positionAt(text, offset))
        .map(({ line, column }) => `${line}:${column}`),
    ).toEqual(['1:1', '1:2', '2:1', '2:2', '2:3', '3:1', '4:1', '4:1'])
  })
})

describe('the nearest name', () => {
  const names = ['limit', 'query', 'leads-top', 'leads-drop']

  it.each([
    ['lmit', 'limit'],
    ['limti', 'limit'],
    ['limits', 'limit'],
    ['leads-tpo', 'leads-top'],
    ['quarry', 'query'],
    ['customer', null],
    ['x', null],
    ['', null],
  ])('to %s is %s', (name, near) => {
    expect(nearestName(name, names)).toBe(near)
  })

  it('is the first in the alphabet of equally near ones', () => {
    expect(nearestName('bat', ['hat', 'cat'])).toBe('cat')
  })
})
