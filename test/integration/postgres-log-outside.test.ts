import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkConsistency, countWitnesses, parseVerifierKey, parseWitnessKey } from '../../src/audit/index.ts'
import type { JsonObject } from '../../src/kernel/index.ts'
import { itIsKeptOutside, listeningWitness } from '../support/log-outside.ts'
import { ObjectStore } from '../support/object-store.ts'
import { readTraceRequest } from '../support/otlp-messages.ts'
import { reusedPostgresDatabase } from '../support/postgres-database.ts'
import { httpReceiver, type Sent } from '../support/receivers.ts'
import { mcp, startTestApp, toolResult } from '../support/running-app.ts'
import { demoKey, mcpworks, startServerProcess } from '../support/server-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const webhookSecret = 'a canary secret of more than thirty-two characters'

/** A data directory of a server, with nothing in it. */
function dataDirectory(): string {
  const path = join(temporaryDirectory(), 'data')
  mkdirSync(path, { mode: 0o700 })
  return path
}

async function publicStore() {
  const store = new ObjectStore()
  const endpoint = await store.listen()
  onTestFinished(() => store.close())
  const { bucket, region, accessKeyId, secretAccessKey } = store
  return { store, config: { endpoint, bucket, region, accessKeyId, secretAccessKey } }
}

const eventsOf = (sent: readonly Sent[]): JsonObject[] =>
  sent
    .filter(({ path, isTaken }) => path === '/hook' && isTaken)
    .flatMap(({ body }) => JSON.parse(body.toString()) as JsonObject[])
const spansOf = (sent: readonly Sent[]) =>
  sent
    .filter(({ path, isTaken }) => path === '/v1/traces' && isTaken)
    .flatMap(({ body }) => readTraceRequest(body).spans)

describe('the log of a server', () => {
  // Here and not among the tests that run every time: it waits for what happens once a second.
  itIsKeptOutside('SQLite', async () => ({}))
  itIsKeptOutside('PostgreSQL', async () => ({
    'storage.masterKey': randomBytes(32).toString('base64url'),
    'storage.database.url': await reusedPostgresDatabase(),
  }))

  it('goes on outside where a server that was killed left off: nothing is lost to a receiver or told twice', async () => {
    const url = await reusedPostgresDatabase()
    const masterKey = randomBytes(32).toString('base64url')
    let status = 200
    const receiver = await httpReceiver(() => status)
    onTestFinished(() => receiver.kill())
    const logs = new Map<string, readonly Uint8Array[]>()
    const tower = await listeningWitness(logs)
    const { store, config } = await publicStore()
    const at = `http://127.0.0.1:${receiver.port}`
    const configuration = {
      exporters: {
        secrets: { hook: webhookSecret },
        networks: ['127.0.0.0/8'],
        intervalMs: 10,
        receivers: [
          { type: 'webhook', name: 'hook', url: `${at}/hook`, batch: 7, namespaces: ['demo'] },
          { type: 'otlp', name: 'collector', url: `${at}/v1/traces` },
        ],
      },
      publishing: { everySeconds: 1, networks: ['127.0.0.0/8'], store: config, witnesses: [tower.config] },
    }
    const [one, other] = [dataDirectory(), dataDirectory()]
    writeFileSync(join(one, 'mcpworks.yaml'), JSON.stringify(configuration))
    const env = { MCPWORKS_STORAGE_DATABASE_URL: url, MCPWORKS_STORAGE_MASTER_KEY: masterKey }
    await using first = await startServerProcess(one, ['--config', join(one, 'mcpworks.yaml')], env)
    const key = demoKey(first, 'analyst')
    const calls: string[] = []
    const call = async (server: { readonly url: string }) => {
      const { message } = await mcp(server.url, key, 'demo', 'tools/call', { name: 'leads-top', arguments: { n: 1 } })
      calls.push(toolResult(message).call)
    }
    const isTold = (id: string | undefined) => (sent: readonly Sent[]) =>
      eventsOf(sent).some(({ subject, type }) => subject === id && type === 'mcpworks.outcome.v1') &&
      spansOf(sent).some(({ attributes }) => attributes['mcpworks.call'] === id)
    for (let count = 0; count < 5; count++) await call(first)
    await receiver.until(isTold(calls.at(-1)))
    await expect.poll(() => [...store.objects.keys()].filter((name) => name.endsWith('/checkpoint')).length).toBe(2)

    // Whoever runs the witness has the key from the operator, and finds the logs where they are published.
    const publicKey = readFileSync(join(one, 'audit.pub'), 'utf8')
    const raw = parseVerifierKey(publicKey.trim())?.publicKey
    for (const [path, note] of store.objects)
      if (path.endsWith('/checkpoint') && raw !== undefined) logs.set(note.toString().split('\n')[0] ?? '', [raw])

    // What is refused is what comes after all that was taken, and is kept for whoever is active then.
    status = 503
    for (let count = 0; count < 5; count++) await call(first)
    const isRefusedAt = (path: string) => (sent: readonly Sent[]) =>
      sent.some((each) => !each.isTaken && each.path === path)
    await receiver.until(isRefusedAt('/hook'))
    await receiver.until(isRefusedAt('/v1/traces'))
    await first.stop('SIGKILL')
    const second = await startTestApp({
      dataDirectory: other,
      configuration,
      settings: { 'storage.masterKey': masterKey, 'storage.database.url': url },
    })
    onTestFinished(() => second.close())
    status = 200
    await call(second.app)
    await receiver.until(isTold(calls.at(-1)))
    const { exporters } = await second.manage('platform', 'audit.exporters', {})
    for (const each of exporters as JsonObject[]) expect(each).toMatchObject({ failing: null, rejected: 0, dropped: 0 })
    const read = { namespace: 'demo', format: 'record', after: -1, limit: 1000, waitSeconds: 0 }
    const { events } = await second.manage('demo', 'audit.events', read)
    const told = eventsOf(receiver.sent).map(({ id }) => id)
    const stored = (events as JsonObject[]).map(({ id }) => id)
    expect(stored.length).toBeGreaterThan(22)
    expect(told.slice(0, stored.length)).toEqual(stored)
    expect(new Set(told).size).toBe(told.length)
    const spans = spansOf(receiver.sent).filter(({ name }) => name !== 'policy.decide')
    expect(
      spans.map(({ attributes }) => attributes['mcpworks.call']).filter((id) => calls.includes(String(id))),
    ).toEqual(calls)

    // The store has the first server's checkpoint, and the second one continues it.
    const [name = ''] = [...store.objects.keys()].filter((path) => /^demo\/.*\/checkpoint$/.test(path))
    const noteAt = () => store.objects.get(name)?.toString() ?? ''
    const sizeOf = (note: string) => Number(note.split('\n')[1])
    const left = sizeOf(noteAt())
    const witness = parseWitnessKey(tower.server.keyLine)
    const isCosigned = () =>
      sizeOf(noteAt()) > left && countWitnesses(noteAt(), witness === null ? [] : [witness]) === 1
    await expect.poll(isCosigned).toBe(true)
    const { records } = await second.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'alarm', limit: 100 })
    expect(records).toEqual([])

    // An auditor who may read the database, with the key that the first server gave out and the witness's.
    const elsewhere = temporaryDirectory()
    const [bundle, keyFile, witnessFile, kept] = ['bundle', 'audit.pub', 'w1.pub', 'kept.txt'].map((file) =>
      join(elsewhere, file),
    ) as [string, string, string, string]
    writeFileSync(keyFile, publicKey)
    writeFileSync(witnessFile, tower.server.keyLine)
    writeFileSync(kept, noteAt())
    const run = async (...args: string[]) => {
      const database = { MCPWORKS_STORAGE_DATABASE_URL: url }
      const result = await mcpworks(['--data-directory', join(elsewhere, 'none'), 'audit', ...args], database)
      expect(result).toMatchObject({ code: 0 })
      return result.stdout
    }
    await run('export', '-n', 'demo', '-o', bundle)
    const bundled = ['--bundle', bundle, '--public-key', keyFile]
    expect(await run('verify', ...bundled, '--witness', witnessFile, '--checkpoint', kept)).toMatch(
      /^OK: .*\nAs many witnesses as demanded cosigned the first \d+ of \d+ records/,
    )
    const newest = readFileSync(join(bundle, name.slice('demo/'.length)), 'utf8')
    writeFileSync(join(elsewhere, 'newest.txt'), newest)
    const both = ['--from-checkpoint', kept, '--to-checkpoint', join(elsewhere, 'newest.txt')]
    await run('prove-consistency', ...both, '-o', join(elsewhere, 'both.json'))
    const proof = readFileSync(join(elsewhere, 'both.json'), 'utf8')
    const given = { from: readFileSync(kept, 'utf8'), to: newest }
    expect(checkConsistency(proof, publicKey, given)).toMatchObject({ ok: true })
  })
})
