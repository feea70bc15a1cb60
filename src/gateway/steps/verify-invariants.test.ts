import { describe, expect, it } from 'vitest'
import { digestJson, type Digest } from '../../kernel/index.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { ActFacts } from '../backend.ts'
import type { Acted } from './act.ts'
import { verifyInvariants, type Done } from './verify-invariants.ts'

const [usual, strict] = [digestJson('usual'), digestJson('strict')]
const definition = { name: 'notes-add' }
const entry: CatalogueEntry = {
  kind: 'tool',
  namespace: 'demo',
  service: 'notes',
  name: 'notes-add',
  definition,
  definitionHash: digestJson(definition),
  inputSchema: {},
  outputSchema: null,
  codeHash: usual,
  runtime: 'python',
  backend: { act: async () => ({ status: 'ok', result: {} }) },
}
const reading = {
  uid: 1000,
  hasCapabilities: false,
  noNewPrivs: true,
  seccompMode: 2,
  seccompFilters: 2,
  namespaces: { net: 7 },
  shared: [],
  devices: ['lo'],
}
const jail = {
  evidence: { kernel: 'host', before: reading, after: reading, group: null },
  checks: [{ id: 'sandbox-confined', pass: true, detail: null }],
}

/** The ids of what failed. */
async function failures(change: Partial<Done>, recorded: readonly string[] = [], now = entry): Promise<string[]> {
  const done: Done = { namespace: 'demo', entry, acted: ran(usual), forced: null, inner: { answered: [] }, ...change }
  const found = await verifyInvariants(done, {
    sandbox: (_runtime, forced) => ({
      engine: 'jail',
      profile: 'p',
      profileHash: forced === 'strict' ? strict : usual,
    }),
    catalogue: {
      resolve: () => now,
      list: () => [],
      hash: () => usual,
      hasNamespace: () => true,
      onChange: () => () => {},
    },
    decisionLog: {
      read: async ({ call }) => {
        if (call === 'unreadable') throw new Error('no log')
        return recorded.includes(call ?? '')
          ? [{ index: 0, id: 'r', timeMs: 0, namespace: 'demo', kind: 'decision', call: call ?? '', json: '{}' }]
          : []
      },
    },
  })
  return found.filter(({ pass }) => !pass).map(({ id }) => id)
}

function ran(profileHash: Digest, kernel: NonNullable<ActFacts['jail']> = jail): Acted {
  return { status: 'ok', result: {}, sandbox: { engine: 'jail', profile: 'p', profileHash }, jail: kernel }
}

describe('the sandbox profile', () => {
  it('must be the one that a policy forces, and the usual one where none does', async () => {
    expect(await failures({ acted: ran(strict), forced: 'strict' })).toEqual([])
    expect(await failures({ acted: ran(usual) })).toEqual([])
    expect(await failures({ acted: ran(usual), forced: 'strict' })).toEqual(['sandbox-profile'])
    expect(await failures({ acted: ran(strict) })).toEqual(['sandbox-profile'])
  })

  it('must be known where code ran, and what the kernel says of the jail too', async () => {
    const acted: Acted = { status: 'ok', result: {} }
    expect(await failures({ acted })).toEqual(['sandbox-profile', 'sandbox-confined'])
    const { jail: _, ...blind } = ran(usual) as Extract<Acted, { status: 'ok' }>
    expect(await failures({ acted: blind })).toEqual(['sandbox-confined'])
    const bad = { ...jail, checks: [{ id: 'sandbox-network', pass: false, detail: 'eth0' }] }
    expect(await failures({ acted: ran(usual, bad) })).toEqual(['sandbox-network'])
    expect(await failures({ acted, entry: { ...entry, runtime: null } }, [], { ...entry, runtime: null })).toEqual([])
    expect(await failures({ acted: { status: 'killed', result: {}, detail: 'cancelled' } })).toEqual([])
  })
})

describe('the definition', () => {
  it('must be what was decided on, by its own hash', async () => {
    const changed = { ...entry, definition: { name: 'notes-add', description: 'and sends them to somebody' } }
    expect(await failures({ entry: changed })).toEqual(['definition-unchanged'])
  })

  it('must still be in the catalogue where it is no version that never changes', async () => {
    const other = { ...entry, definitionHash: strict }
    const remote = { ...entry, runtime: null }
    const acted: Acted = { status: 'ok', result: {} }
    expect(await failures({ entry: remote, acted }, [], remote)).toEqual([])
    expect(await failures({ entry: remote, acted }, [], { ...other, runtime: null })).toEqual(['definition-unchanged'])
    expect(await failures({}, [], other)).toEqual([])
  })
})

describe('calls that the code made', () => {
  const answered = [
    { call: 'c1', status: 'ok' },
    { call: 'c2', status: 'denied' },
    { call: 'c3', status: 'unavailable' },
  ] as const

  it('have each a decision in the log, refused ones too, but for those that could not be recorded and were not run', async () => {
    expect(await failures({ inner: { answered } }, ['c1', 'c2'])).toEqual([])
    expect(await failures({ inner: { answered } }, ['c1'])).toEqual(['inner-calls-recorded'])
  })

  it('are not believed where the log cannot be read', async () => {
    const inner = { answered: [{ call: 'unreadable', status: 'ok' }] as const }
    expect(await failures({ inner })).toEqual(['inner-calls-recorded'])
  })
})
