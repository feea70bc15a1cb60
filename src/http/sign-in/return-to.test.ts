import { describe, expect, it } from 'vitest'
import { home, returnTo } from './return-to.ts'

const origin = 'https://mcp.example.org'

describe('where people come back to', () => {
  it.each(['/account', '/oauth/consent/abc?x=1&y=%2F', '/a/../b', '/a#b'])('can be %j', (path) => {
    expect(returnTo(path, origin)).toMatch(/^\/[a-z]/)
  })

  it.each([
    null,
    undefined,
    '',
    'account',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\/evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    ' /account',
    '/./\\evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    'https://evil.example',
    'https:evil.example',
    'vbscript:msgbox(1)',
    'data:text/html,x',
    '/\u0000',
    '/\u{ff0f}evil.example',
    `/${'a'.repeat(5000)}`,
  ])('is home for %j', (path) => {
    expect(returnTo(path, origin)).toBe(home)
  })
})
