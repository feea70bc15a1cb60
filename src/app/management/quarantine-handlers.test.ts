import { expect, it } from 'vitest'
import type { RecordQuery, StoredRecord } from '../../audit/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { quarantineHandlers } from './quarantine-handlers.ts'

/** The log of one call that `ada` made through a token with which `bert` acted, and whose output is in quarantine. */
function release() {
  const stored = (kind: StoredRecord['kind'], record: JsonObject): StoredRecord => ({
    index: 0,
    id: kind,
    timeMs: 0,
    namespace: 'demo',
    kind,
    call: 'call',
    json: JSON.stringify(record),
  })
  const records = [
    stored('decision', { pre: { principal: { id: 'ada' }, authn: { actors: ['bert'] } } }),
    stored('quarantine', { event: { type: 'quarantined', principal: 'ada', outcome: 'outcome' } }),
  ]
  const appended: unknown[] = []
  const opened: string[] = []
  const handlers = quarantineHandlers(
    {
      read: async ({ kinds }: RecordQuery) => records.filter(({ kind }) => kinds?.includes(kind) === true),
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

it('gives it to somebody else, once that is recorded', async () => {
  const { by, appended, opened } = release()
  expect(await by('carl', ['dora'])).toMatchObject({ by: 'carl', output: { said: 'it' } })
  expect(appended).toMatchObject([{ kind: 'quarantine', event: { type: 'released', by: 'carl' } }])
  expect(opened).toEqual(['outcome'])
})
