import { expect, it } from 'vitest'
import type { RecordQuery, StoredRecord } from '../../audit/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { quarantineHandlers } from './quarantine-handlers.ts'

/** The log of one call that `ada` made through a token with which `bert` acted, and whose output is in quarantine. */
function release(goneText: 'decision' | 'quarantine' | null = null) {
  const stored = (kind: StoredRecord['kind'], record: JsonObject): StoredRecord => ({
    index: 0,
    id: kind,
    timeMs: 0,
    namespace: 'demo',
    kind,
    call: 'call',
    json: kind === goneText ? '' : JSON.stringify(record),
  })
  const retention = { what: 'texts', below: 1, removed: 1, calls: [], days: 30 }
  const removals = [{ ...stored('retention', { event: retention }), index: 7, timeMs: Date.UTC(2026, 0, 2) }]
  const records = [
    stored('decision', { pre: { principal: { id: 'ada' }, authn: { actors: ['bert'] } } }),
    stored('quarantine', { event: { type: 'quarantined', principal: 'ada', outcome: 'outcome' } }),
  ]
  const appended: unknown[] = []
  const opened: string[] = []
  const handlers = quarantineHandlers(
    {
      read: async ({ kinds }: RecordQuery) => (kinds === undefined ? records : removals),
      async readBody(id, part) {
        opened.push(id)
        return { part, body: '{"said":"it"}', bytes: 13, salt: '', commitment: 'sha256:' }
      },
      append: async (draft) => (appended.push(draft), { id: 'x', namespace: 'demo', index: 2 }),
    },
    { nowMs: () => 0 },
  )
  const by = (id: string, actors: readonly string[] = []) =>
    handlers['quarantine.release'](
      { namespace: 'demo', call: 'call', comment: 'to look' },
      {
        caller: { principal: { id }, authentication: { token: { actors } } },
        run: 'r',
        call: 'own',
      } as never,
      new AbortController().signal,
    )
  return { by, appended, opened }
}

it.each([
  ['whose call it was', 'ada', []],
  ['who acted in it', 'bert', []],
  ['through whom somebody of the call acts', 'carl', ['bert']],
])('gives the output of a call to nobody %s', async (_, id, actors) => {
  const { by, appended, opened } = release()
  await expect(by(id, actors)).rejects.toThrow('Nobody releases the output of their own call.')
  expect([appended, opened]).toEqual([[], []])
})

it.each(['decision', 'quarantine'] as const)('gives it to nobody where the text of the %s went', async (gone) => {
  const { by, appended, opened } = release(gone)
  await expect(by('carl')).rejects.toThrow(
    `The text of the ${gone} of call call was deleted because its time was over (retention) on 2026-01-02T00:00:00.000Z, as record 7 says. Its output cannot be released.`,
  )
  expect([appended, opened]).toEqual([[], []])
})

it('gives it to somebody else, once that is recorded', async () => {
  const { by, appended, opened } = release()
  expect(await by('carl', ['dora'])).toMatchObject({ by: 'carl', output: { said: 'it' } })
  expect(appended).toMatchObject([{ kind: 'quarantine', event: { type: 'released', by: 'carl' } }])
  expect(opened).toEqual(['outcome'])
})

/** The list of a log with these events of quarantine, each of a call of its own unless told otherwise. */
function listing(events: readonly { readonly type: string; readonly call?: string }[]) {
  const records = events.map(({ type, call }, index): StoredRecord => ({
    index,
    id: `r${index}`,
    timeMs: index,
    namespace: 'demo',
    kind: 'quarantine',
    call: call ?? `c${index}`,
    json: JSON.stringify({ event: { type, by: `person ${index}` } }),
  }))
  const handlers = quarantineHandlers(
    {
      async read({ call, descending, afterIndex, limit }: RecordQuery) {
        const found = records.filter(
          (one) => (call === undefined || one.call === call) && (afterIndex === undefined || one.index < afterIndex),
        )
        return (descending === true ? found.toReversed() : found).slice(0, limit)
      },
      readBody: async () => null,
      append: async () => ({ id: 'x', namespace: 'demo', index: 0 }),
    },
    { nowMs: () => 0 },
  )
  return async (input: { limit: number; before?: number }) => {
    const ask = { namespace: 'demo', ...input }
    const answer = await handlers['audit.quarantine'](ask, {} as never, new AbortController().signal)
    return answer as { calls: { call: string; releases: { by: string }[] }[]; next: number | null }
  }
}

it('lists what is in quarantine however often something was released since', async () => {
  const list = listing([
    { type: 'quarantined', call: 'old' },
    ...Array.from({ length: 1200 }, () => ({ type: 'released', call: 'old' })),
  ])
  const { calls, next } = await list({ limit: 1 })
  expect(calls.map(({ call }) => call)).toEqual(['old'])
  expect(calls[0]?.releases).toHaveLength(20)
  expect(calls[0]?.releases.at(-1)?.by).toBe('person 1200')
  expect((await list({ limit: 1, before: next ?? -1 })).calls).toEqual([])
})

it('goes on page by page, counting only what it lists', async () => {
  const list = listing(
    Array.from({ length: 6 }, () => [{ type: 'quarantined' }, { type: 'released', call: 'other' }]).flat(),
  )
  const first = await list({ limit: 4 })
  expect(first.calls.map(({ call }) => call)).toEqual(['c10', 'c8', 'c6', 'c4'])
  const rest = await list({ limit: 4, before: first.next ?? -1 })
  expect(rest).toMatchObject({ calls: [{ call: 'c2' }, { call: 'c0' }], next: null })
})

it('says where to go on where it has looked at enough', async () => {
  const list = listing([
    { type: 'quarantined', call: 'old' },
    ...Array.from({ length: 10_500 }, () => ({ type: 'released' })),
  ])
  const first = await list({ limit: 5 })
  expect(first).toEqual({ calls: [], next: 501 })
  expect(await list({ limit: 5, before: 501 })).toMatchObject({ calls: [{ call: 'old' }], next: null })
})
