import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DecisionLog, Receipt } from '../../src/audit/index.ts'
import { startPostgresCluster, type PostgresCluster } from '../support/postgres-cluster.ts'
import { postgresLogPlace, type PostgresLogPlace } from '../support/postgres-log-place.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let cluster: PostgresCluster
let databases = 0

beforeAll(async () => {
  cluster = await startPostgresCluster()
})
afterAll(() => cluster.close())

async function newPlace(): Promise<PostgresLogPlace> {
  const name = `faults_${databases++}`
  const admin = await postgresLogPlace(cluster.url())
  await admin.sql(`CREATE DATABASE ${name}`)
  return postgresLogPlace(cluster.url(name))
}

/** Appends pairs with eight callers until one is refused; gives what was acknowledged, and the refusals. */
async function appendUntilRefused(log: DecisionLog) {
  const acknowledged: Receipt[] = []
  const codes: string[] = []
  await Promise.all(
    Array.from({ length: 8 }, async (_, caller) => {
      while (codes.length === 0) {
        const draft = decisionDraft({ namespace: caller % 2 === 0 ? 'even' : 'odd' })
        try {
          acknowledged.push(await log.append(draft))
          acknowledged.push(await log.append(outcomeDraft(draft)))
        } catch (error) {
          codes.push((error as { code: string }).code)
        }
      }
    }),
  )
  return { acknowledged, codes: [...new Set(codes)] }
}

async function missing(place: PostgresLogPlace, acknowledged: readonly { readonly id: string }[]): Promise<string[]> {
  const stored = new Set((await place.sql('SELECT id FROM records')).map(({ id }) => id))
  return acknowledged.map(({ id }) => id).filter((id) => !stored.has(id))
}

describe('the decision log on a database that fails', () => {
  it.for(['crash', 'fast'] as const)(
    'refuses every append while it is stopped (%s), loses nothing, and goes on by itself',
    async (how) => {
      const place = await newPlace()
      const { decisionLog, close } = await place.open()
      const appending = appendUntilRefused(decisionLog)
      await expect.poll(async () => (await place.sql('SELECT FROM checkpoints')).length).toBeGreaterThan(0)
      await cluster.stop(how)
      const { acknowledged, codes } = await appending
      expect(codes).toEqual(['audit_unavailable'])
      expect(decisionLog.health()).toMatchObject({ ok: false })
      expect(await decisionLog.recheck()).toMatchObject({ ok: false, reason: /cannot be reached/ })
      await expect(decisionLog.append(decisionDraft())).rejects.toMatchObject({ code: 'audit_unavailable' })
      await cluster.start()
      await expect.poll(() => decisionLog.health()).toEqual({ ok: true })
      const draft = decisionDraft()
      await decisionLog.append(draft)
      await decisionLog.append(outcomeDraft(draft))
      expect(await missing(place, acknowledged)).toEqual([])
      await close()
      // What the database has without having said so was never acted on: it is there, as abandoned or with its outcome.
      await (await place.open()).close()
      expect(await place.verify()).toMatchObject({ ok: true, problems: [], unfinished: 0 })
    },
  )

  it('refuses what a database does not answer in time, and goes on where the chain really is', async () => {
    const place = await newPlace()
    const { decisionLog, close } = await place.open(undefined, { silentMs: 1000 })
    const appending = appendUntilRefused(decisionLog)
    await expect.poll(async () => (await place.sql('SELECT FROM records LIMIT 1')).length).toBe(1)
    cluster.freeze()
    const { acknowledged, codes } = await appending
    expect(codes).toEqual(['audit_unavailable'])
    expect(await decisionLog.recheck()).toMatchObject({ ok: false })
    cluster.thaw()
    await expect.poll(() => decisionLog.health()).toEqual({ ok: true })
    await decisionLog.append(decisionDraft({ effect: 'deny' }))
    expect(await missing(place, acknowledged)).toEqual([])
    await close()
    await (await place.open()).close()
    expect(await place.verify()).toMatchObject({ ok: true, problems: [], unfinished: 0 })
  })

  it('refuses appends while the database is read-only, and says so', async () => {
    const place = await newPlace()
    const { decisionLog } = await place.open()
    await decisionLog.append(decisionDraft({ effect: 'deny' }))
    await place.sql("ALTER SYSTEM SET default_transaction_read_only = 'on'")
    await place.sql('SELECT pg_reload_conf()')
    const refusal = { code: 'audit_unavailable', detail: 'the database is read-only' }
    const refused = async () =>
      decisionLog.append(decisionDraft({ effect: 'deny' })).then(null, (error: unknown) => error)
    await expect.poll(refused).toMatchObject(refusal)
    await expect(place.open()).rejects.toMatchObject({ code: 'storage_unavailable', message: /read-only/ })
    await place.sql('ALTER SYSTEM RESET default_transaction_read_only')
    await place.sql('SELECT pg_reload_conf()')
    await expect.poll(() => decisionLog.recheck()).toEqual({ ok: true })
    await decisionLog.append(decisionDraft({ effect: 'deny' }))
    expect(await place.verify()).toMatchObject({ ok: true, problems: [] })
  })

  it('refuses every append while its disk is full, loses nothing, and goes on when there is room', () => {
    const script = fileURLToPath(new URL('../support/postgres-on-small-disk.ts', import.meta.url))
    // PostgreSQL would not run as somebody who is root there.
    const rights = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user', '--keep-caps']
    const command = [...rights, '--mount', '--', process.execPath, script]
    const outcome = JSON.parse(execFileSync('unshare', command, { encoding: 'utf8' }))
    expect(outcome).toMatchObject({
      lost: 0,
      codes: ['audit_unavailable'],
      whileFull: { ok: false, reason: expect.stringContaining('disk space') },
      withRoom: { ok: true },
      problems: [],
    })
    expect(outcome.acknowledged).toBeGreaterThan(100)
  })
})

describe('servers that are killed', () => {
  const script = fileURLToPath(new URL('../support/postgres-log-load.ts', import.meta.url))

  /** Starts one at work; `kill` ends it with SIGKILL, and gives what it had said. */
  function startServer(place: PostgresLogPlace, namespace: string) {
    const masterKey = Buffer.from(place.masterKey).toString('base64')
    const publicKeyPath = join(temporaryDirectory(), 'audit.pub')
    const job = JSON.stringify({ url: place.url, masterKey, publicKeyPath, callers: 6, namespace })
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, job], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    const said: { id: string }[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      // The last line may have been cut off by the kill, and then it was not said.
      if (line.endsWith('}')) said.push(JSON.parse(line) as { id: string })
    })
    return {
      said,
      async kill() {
        child.kill('SIGKILL')
        expect((await closed)[1]).toBe('SIGKILL')
        return said
      },
    }
  }

  it('lose nothing that they acknowledged, whichever of two is killed, and the other goes on', async () => {
    const place = await newPlace()
    // Outlives the others, and orders their records when the one that did is killed.
    const survivor = await place.open(undefined, { graceMs: 0 })
    const acknowledged: { id: string }[] = []
    for (let round = 0; round < 4; round++) {
      const servers = ['one', 'two'].map((name) => startServer(place, name))
      await expect.poll(() => servers.every(({ said }) => said.length > 60 * (round + 1))).toBe(true)
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) acknowledged.push(...(await server.kill()))
      expect(await place.verify()).toMatchObject({ ok: true, problems: [] })
    }
    expect(await missing(place, acknowledged)).toEqual([])
    // Their calls are ended by who is left, without a new start.
    const open = async () => (await place.sql('SELECT FROM writers WHERE open_from < next_pos')).length
    await expect.poll(open).toBe(0)
    await survivor.close()
    const report = await place.verify()
    expect(report).toMatchObject({ ok: true, problems: [], unfinished: 0 })
    expect(report.namespaces.map(({ unsigned }) => unsigned)).toEqual(report.namespaces.map(() => 0))
    expect((await place.sql("SELECT FROM records WHERE kind = 'abandoned'")).length).toBeGreaterThan(0)
  })

  it('leave the sequencer to another one when the one that has it is killed', async () => {
    const place = await newPlace()
    const first = startServer(place, 'one')
    await expect.poll(() => first.said.length).toBeGreaterThan(300)
    const second = await place.open()
    await first.kill()
    const { id } = await second.decisionLog.append(decisionDraft({ namespace: 'one', effect: 'deny' }))
    const signed = async () => (await second.decisionLog.prove(id))?.checkpoint !== null
    await expect.poll(signed).toBe(true)
    expect(await missing(place, first.said)).toEqual([])
    await second.close()
    expect(await place.verify()).toMatchObject({ ok: true, problems: [] })
  })
})
