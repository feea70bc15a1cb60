import { describe, expect, it } from 'vitest'
import { normalizeTarget } from './normalize-target.ts'

describe('htu', () => {
  it.each([
    ['https://a.example', 'https://a.example/'],
    ['HTTPS://A.Example:443/x?q#f', 'https://a.example/x'],
    ['http://a.example:80/x', 'http://a.example/x'],
    ['https://a.example:8443/x/./y/../z', 'https://a.example:8443/x/z'],
    ['https://a.example/%7ea%2fb%C3', 'https://a.example/~a%2Fb%C3'],
  ])('%s is %s', (text, normal) => {
    expect(normalizeTarget(text)).toBe(normal)
  })

  it.each([
    '',
    '/x',
    'a.example/x',
    'ftp://a.example/',
    'https://u@a.example/',
    'https://a.example\\x',
    'https://a b/',
  ])('%j is none', (text) => {
    expect(normalizeTarget(text)).toBeNull()
  })
})
