import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { verifyDecisionLog } from '../../src/audit/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { decisionDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const loadScript = fileURLToPath(new URL('../support/audit-load.ts', import.meta.url))
const open = (dataDirectory: string) => openStorage({ dataDirectory, clock: systemClock })

describe('a data directory', () => {
  it('is refused to a second server, which is told the process that has it', async () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    const first = await open(dataDirectory)
    await expect(open(dataDirectory)).rejects.toMatchObject({
      code: 'data_directory_in_use',
      message: `Another server (process ${process.pid}) is using this data directory. Stop it, or give this one another directory.`,
      data: { pid: process.pid },
    })
    await first.close()
    const second = await open(dataDirectory)
    await second.close()
  })

  it('is refused while another process has it, and free as soon as that one is killed', async () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    const child = spawn(process.execPath, [loadScript, dataDirectory, '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    await expect(open(dataDirectory)).rejects.toMatchObject({ code: 'data_directory_in_use', data: { pid: child.pid } })
    child.kill('SIGKILL')
    child.stdout.destroy()
    await closed
    const second = await open(dataDirectory)
    await second.decisionLog.append(decisionDraft())
    await second.close()
  })

  it('can be verified while its server writes', async () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    const storage = await open(dataDirectory)
    let stopped = false
    let written = 0
    const writing = (async () => {
      while (!stopped) {
        await storage.decisionLog.append(decisionDraft({ effect: 'deny' }))
        written += 1
      }
    })()
    const reader = openAuditReader({ dataDirectory })
    const seen: number[] = []
    while (new Set(seen).size < 5) {
      const report = await verifyDecisionLog({ reader })
      expect(report.firstProblem).toBeNull()
      seen.push(report.records.checked)
    }
    await reader.close()
    stopped = true
    await writing
    await storage.close()
    expect(seen).toEqual(seen.toSorted((one, other) => one - other))
    expect(written).toBeGreaterThanOrEqual(seen.at(-1) ?? 0)
  })

  it('and its files are open to nobody but their owner', async () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    const storage = await open(dataDirectory)
    await storage.decisionLog.append(decisionDraft())
    const modes = readdirSync(dataDirectory).map((name) => [
      name,
      (statSync(join(dataDirectory, name)).mode & 0o777).toString(8),
    ])
    await storage.close()
    expect((statSync(dataDirectory).mode & 0o777).toString(8)).toBe('700')
    // The public key is for auditors; it is the directory that keeps others out.
    expect(Object.fromEntries(modes)).toEqual({
      'audit.db': '600',
      'audit.db-shm': '600',
      'audit.db-wal': '600',
      'audit.pub': '644',
      'master.key': '600',
      'search.db': '600',
      'server.lock': '600',
      'server.lock-journal': '600',
      'server.pid': '600',
      'state.db': '600',
      'state.db-shm': '600',
      'state.db-wal': '600',
    })
    expect(existsSync(join(dataDirectory, 'server.pid'))).toBe(false)
  })

  it('that others may enter is refused', async () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    mkdirSync(dataDirectory)
    chmodSync(dataDirectory, 0o755)
    await expect(open(dataDirectory)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('chmod 700'),
    })
    chmodSync(dataDirectory, 0o700)
    await (await open(dataDirectory)).close()
  })

  it('without its master key is refused, rather than given a new one', async () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    await (await open(dataDirectory)).close()
    rmSync(join(dataDirectory, 'master.key'))
    await expect(open(dataDirectory)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('master.key is missing'),
    })
    await expect(
      openStorage({ dataDirectory, clock: systemClock, masterKey: Buffer.alloc(32, 7) }),
    ).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('not the one'),
    })
  })

  it('opens with a master key from elsewhere and then holds none itself', async () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    const masterKey = Buffer.alloc(32, 7)
    const first = await openStorage({ dataDirectory, clock: systemClock, masterKey })
    const { id } = await first.decisionLog.append(decisionDraft())
    await first.close()
    expect(existsSync(join(dataDirectory, 'master.key'))).toBe(false)
    const second = await openStorage({ dataDirectory, clock: systemClock, masterKey })
    expect(await second.decisionLog.readBody(id, 'input')).toMatchObject({ body: '{"country":"CH","limit":5}' })
    await second.close()
    await expect(open(dataDirectory)).rejects.toMatchObject({ code: 'storage_unavailable' })
  })

  it('that is a file, or damaged, is refused with a sentence', async () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'file')
    writeFileSync(file, 'x')
    await expect(open(file)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('cannot be used'),
    })
    const dataDirectory = join(directory, 'data')
    await (await open(dataDirectory)).close()
    writeFileSync(join(dataDirectory, 'audit.db'), 'this is no database at all, whatever its name says')
    await expect(open(dataDirectory)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('damaged'),
    })
  })
})
