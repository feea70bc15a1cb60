import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { exportLog, proveLogConsistency, verifyDataDirectory, verifyLogBundle } from '../../src/app/index.ts'
import {
  checkCallProof,
  checkConsistency,
  countWitnesses,
  parseVerifierKey,
  parseWitnessKey,
  readKeptCheckpoints,
} from '../../src/audit/index.ts'
import type { JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from './echo-entries.ts'
import { startTestApp, toolResult, type TestApp, type TestSettings } from './running-app.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { WitnessServer } from './witness-server.ts'

/** Files of the namespace `demo`, in which `ann` may call everything. */
const demoFiles = {
  'namespace.yaml': 'namespace: demo\nagents:\n  - name: ann\n',
  'policies/demo.cedar': '@id("may") permit (principal, action == Action::"call", resource in Namespace::"demo");\n',
}

/** The only tool of `demo`. */
const payEntries = [toolEntry('pay', () => textOutcome('paid'))]

/** A witness on loopback that knows the logs which are put into `logs`. */
export async function listeningWitness(logs: ReadonlyMap<string, readonly Uint8Array[]>) {
  const server = new WitnessServer('witness.example/w1', logs)
  const url = await server.listen()
  onTestFinished(() => server.close())
  return { server, config: { name: 'tower', url, key: server.keyLine } }
}

/** Tells a witness of each tree of the namespaces with every key that it has, as its operator would learn them here. */
async function introduce(logs: Map<string, readonly Uint8Array[]>, app: TestApp, namespaces: readonly string[]) {
  for (const namespace of namespaces) {
    const { trees } = await app.manage(namespace, 'audit.trees', { namespace })
    for (const { origin, period } of trees as { origin: string | null; period: string }[]) {
      if (origin === null) continue
      const { content } = await app.manage(namespace, 'audit.key', { namespace, period })
      const lines = String(content).trimEnd().split('\n')
      logs.set(
        origin,
        lines.flatMap((line) => parseVerifierKey(line)?.publicKey ?? []),
      )
    }
  }
}

/** One part of what `doctor` says of a running server. */
async function doctorSays(app: TestApp, id: string): Promise<JsonObject | undefined> {
  const { checks } = await app.manage('platform', 'platform.doctor', {})
  return (checks as JsonObject[]).find((check) => check.id === id)
}

/** The published checkpoint of the newest tree of `demo`, empty where there is none yet. */
function publishedNote(directory: string, period: string): string {
  try {
    return readFileSync(join(directory, 'demo', period, 'checkpoint'), 'utf8')
  } catch {
    // Not published yet.
    return ''
  }
}

/**
 * The log of a whole server outside of it, over a change of its key: published, shipped, witnessed, exported, and checked
 * with nothing but what an auditor has. `settings` say where state and log are.
 */
export function itIsKeptOutside(on: string, settings: () => Promise<TestSettings>): void {
  it(`is published, witnessed and provable from the first key on, over a change of the key, on ${on}`, async () => {
    const logs = new Map<string, readonly Uint8Array[]>()
    const { server, config } = await listeningWitness(logs)
    const witnessKey = parseWitnessKey(server.keyLine)
    const witnesses = { witnesses: witnessKey === null ? [] : [witnessKey], quorum: 1 }
    const outside = temporaryDirectory()
    const [directory, file] = [join(outside, 'published'), join(outside, 'kept.jsonl')]
    const dataDirectory = join(temporaryDirectory(), 'data')
    mkdirSync(dataDirectory, { mode: 0o700 })
    const given = await settings()
    const app = await startTestApp({
      dataDirectory,
      settings: given,
      entries: payEntries,
      configuration: {
        publishing: {
          everySeconds: 1,
          networks: ['127.0.0.0/8'],
          directory,
          checkpoints: { file },
          witnesses: [config],
        },
      },
    })
    onTestFinished(() => app.close())
    await app.apply('demo', demoFiles)
    const ann = await app.key('demo', 'ann')
    const call = async () => toolResult((await app.call(ann, 'demo', 'pay', {})).message).call
    const early = await call()
    const publicKey = readFileSync(join(dataDirectory, 'audit.pub'), 'utf8')

    // Whoever runs the witness is told of the logs once they are there.
    const known = () => introduce(logs, app, ['demo', 'platform']).then(() => logs.size)
    await expect.poll(known).toBe(2)
    const [period = ''] = [...logs.keys()].flatMap((origin) => (origin.includes('/demo/') ? origin.split('/')[3] : []))
    const cosigned = (note: string) => countWitnesses(note, witnesses.witnesses) === 1
    await expect.poll(() => publishedNote(directory, period)).toSatisfy(cosigned)
    const before = publishedNote(directory, period)
    await expect.poll(() => doctorSays(app, 'publishing: witness tower')).toMatchObject({ ok: true })

    const sawBefore = server.answered.length
    const { next } = await app.manage('platform', 'audit.rotate-key', {})
    const late = await call()
    // A witness that knows the former key alone cosigns nothing that the new one signed, and nothing else waits for it.
    await expect.poll(() => server.answered.slice(sawBefore)).toContain(403)
    await expect
      .poll(() => doctorSays(app, 'publishing: witness tower'))
      .toMatchObject({ ok: false, detail: expect.stringContaining('does not take the key of this log') })
    await expect.poll(() => publishedNote(directory, period)).not.toBe(before)
    expect(await doctorSays(app, 'publishing: directory')).toMatchObject({ ok: true })
    await introduce(logs, app, ['demo', 'platform'])
    expect([...logs.values()].map((keys) => keys.length)).toEqual(Array.from({ length: logs.size }, () => 2))
    // Both calls, to whoever has the first key and the witness's; and the newest key alone proves what it signed.
    const proofOf = async (id: string) =>
      JSON.stringify(await app.manage('demo', 'audit.prove', { namespace: 'demo', call: id }))
    await expect.poll(async () => checkCallProof(await proofOf(late), publicKey, witnesses)).toMatchObject({ ok: true })
    for (const id of [early, late])
      for (const given of [publicKey, String(next)])
        expect(checkCallProof(await proofOf(id), given, witnesses)).toMatchObject({ ok: true, call: id })
    const isNewer = (note: string) => cosigned(note) && Number(note.split('\n')[1]) > Number(before.split('\n')[1])
    await expect.poll(() => publishedNote(directory, period)).toSatisfy(isNewer)
    const after = publishedNote(directory, period)
    expect(server.answered.filter((status) => status !== 200 && status !== 404 && status !== 403)).toEqual([])
    const { records } = await app.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'alarm', limit: 100 })
    expect(records).toEqual([])

    // With the server running: an auditor waits for nobody.
    const storage = {
      masterKey: given['storage.masterKey'] ?? null,
      ...(given['storage.database.url'] === undefined
        ? {}
        : { database: { url: given['storage.database.url'], caFile: null, silentSeconds: 10 } }),
    }
    const consistency = await proveLogConsistency(dataDirectory, before, after, storage)
    expect(checkConsistency(consistency, publicKey, { from: before, to: after })).toMatchObject({ ok: true })
    await expect(proveLogConsistency(dataDirectory, after, before, storage)).rejects.toThrow('is the newer one')

    const kept = readKeptCheckpoints(readFileSync(file, 'utf8'))
    expect(kept.length).toBeGreaterThan(3)
    const evidence = { publicKeyLine: publicKey.trim(), keptCheckpoints: [...kept, before, after] }
    const verified = await verifyDataDirectory(dataDirectory, () => {}, evidence, storage)
    expect(verified.json).toMatchObject({ ok: true, problems: [] })

    const bundle = join(outside, 'bundle')
    const written = await exportLog(dataDirectory, 'demo', bundle, storage)
    expect(written.cosignatures).toBeGreaterThanOrEqual(2)
    const covered = Number(after.split('\n')[1])
    const ofDemo = keptOf(kept, '/demo/')
    const report = await verifyLogBundle(bundle, publicKey, ofDemo, witnesses)
    expect(report.json).toMatchObject({ ok: true, problems: [] })
    expect(report.json.witnessed).toBeGreaterThanOrEqual(covered)
    expect(report.text).toContain(`cosigned the first ${report.json.witnessed} of ${written.records} records`)
    const stranger = parseWitnessKey(new WitnessServer('witness.example/w1', logs).keyLine)
    const unseen = await verifyLogBundle(bundle, publicKey, [], {
      witnesses: stranger === null ? [] : [stranger],
      quorum: 1,
    })
    expect(unseen.json).toMatchObject({ ok: false, witnessed: 0 })
    expect(unseen.text).toContain('is cosigned by 1 of the named witnesses')
  })
}

function keptOf(notes: readonly string[], part: string): string[] {
  return notes.filter((note) => note.slice(0, note.indexOf('\n')).includes(part))
}
