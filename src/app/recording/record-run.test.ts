import { expect, it } from 'vitest'
import type { EventDraft, RecordQuery, StoredRecord } from '../../audit/index.ts'
import { configSchema } from '../../config/index.ts'
import { McpworksError, sha256, systemClock, type JsonObject } from '../../kernel/index.ts'
import type { SandboxDescription } from '../../sandbox/index.ts'
import type { Log } from '../log.ts'
import { recordRun } from './record-run.ts'

const profile = { name: 'jail', hash: sha256('profile') }
const description: SandboxDescription = {
  engine: 'bubblewrap',
  version: '0.8.0',
  profiles: { python: profile, typescript: profile },
  strictProfiles: null,
  cgroups: { inUse: true, detail: 'v1' },
  checks: [
    { id: 'python.root', ok: true, expected: 'a', got: 'a' },
    { id: 'python.exec', ok: false, expected: 'EPERM', got: 'done' },
  ],
}
const running = {
  version: '1.0.0',
  config: configSchema.parse({ dataDirectory: '/nowhere' }),
  sandbox: { describe: () => description },
  policy: { policySetHash: (namespace: string) => sha256(namespace) },
  namespaces: { list: () => Array.from({ length: 150 }, (_, at) => ({ name: `n${String(at).padStart(3, '0')}` })) },
  clock: systemClock,
}

/** A log of what runs, which refuses from the given append on. */
function logOf(records: readonly Pick<StoredRecord, 'index' | 'json'>[], refusesFrom = Infinity) {
  const events: JsonObject[] = []
  const failures: unknown[] = []
  const decisionLog = {
    async read(query: RecordQuery) {
      expect(query).toMatchObject({ namespace: 'platform', kinds: ['start'], withoutText: true, limit: 1 })
      return records.slice(-1) as StoredRecord[]
    },
    async append(draft: unknown) {
      if (events.length >= refusesFrom) throw new McpworksError('audit_unavailable')
      events.push((draft as EventDraft).event)
      return { id: `id-${events.length}`, namespace: 'platform', index: 0 }
    },
  }
  const log = { error: ({ err }: { err: unknown }) => void failures.push(err) } as unknown as Log
  const parts = { ...running, storage: { decisionLog, abandoned: 3 }, log }
  return { parts, events, failures }
}

it('names what runs, with a bound on what is named one by one, and then its end', async () => {
  const { parts, events, failures } = logOf([])
  const run = await recordRun(parts)
  await run.end()
  expect(failures).toEqual([])
  expect(events).toMatchObject([
    { type: 'started', before: null, abandoned: 3, sandbox: { checks: { passed: 1, failed: ['python.exec'] } } },
    { type: 'stopped', start: 'id-1' },
  ])
  const { policies } = events[0] as { policies: { namespaces: number; sets: { namespace: string }[] } }
  expect(policies.namespaces).toBe(150)
  expect(policies.sets).toHaveLength(100)
  expect(policies.sets[0]?.namespace).toBe('n000')
})

it.each([
  ['clean', '{"event":{"type":"stopped"}}'],
  ['broken', '{"event":{"type":"started"}}'],
  // Retention took the text.
  ['unknown', ''],
])('says that the run before ended %s', async (ended, json) => {
  const { parts, events } = logOf([{ index: 7, json }])
  await recordRun(parts)
  expect(events[0]).toMatchObject({ before: { ended, record: 7 } })
})

it('starts nothing that is not on record, and tells of an end that is not', async () => {
  await expect(recordRun(logOf([], 0).parts)).rejects.toMatchObject({ code: 'audit_unavailable' })
  const { parts, failures } = logOf([], 1)
  const run = await recordRun(parts)
  await run.end()
  expect(failures).toMatchObject([{ code: 'audit_unavailable' }])
})
