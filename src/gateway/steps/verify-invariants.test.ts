import { describe, expect, it } from 'vitest'
import { digestJson, type Digest } from '../../kernel/index.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import { verifyInvariants } from './verify-invariants.ts'

const [usual, strict] = [digestJson('usual'), digestJson('strict')]
const entry: CatalogueEntry = {
  kind: 'tool',
  namespace: 'demo',
  service: 'notes',
  name: 'notes-add',
  definition: {},
  definitionHash: usual,
  inputSchema: {},
  outputSchema: null,
  codeHash: usual,
  runtime: 'python',
  backend: { act: async () => ({ status: 'ok', result: {} }) },
}
const ports = {
  sandbox: (_runtime: string, forced: string | null) => ({
    engine: 'jail',
    profile: 'p',
    profileHash: forced === 'strict' ? strict : usual,
  }),
}
const passes = (used: Digest, forced: 'strict' | null): boolean | undefined => {
  const sandbox = { engine: 'jail', profile: 'p', profileHash: used }
  return verifyInvariants(entry, { status: 'ok', result: {}, sandbox }, forced, ports)[0]?.pass
}

describe('the sandbox profile', () => {
  it('must be the one that a policy forces, and the usual one where none does', () => {
    expect(passes(strict, 'strict')).toBe(true)
    expect(passes(usual, null)).toBe(true)
    expect(passes(usual, 'strict')).toBe(false)
    expect(passes(strict, null)).toBe(false)
  })

  it('must be known where code ran', () => {
    const ran = { status: 'ok', result: {} } as const
    expect(verifyInvariants(entry, ran, 'strict', ports)).toMatchObject([{ pass: false }])
    expect(verifyInvariants({ ...entry, runtime: null }, ran, null, ports)).toEqual([])
  })
})
