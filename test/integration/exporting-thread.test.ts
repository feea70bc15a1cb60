import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { openExporting, type ExportingOptions } from '../../src/app/exporters/open-exporting.ts'
import type { LogPositionStore } from '../../src/audit/index.ts'
import { configSchema } from '../../src/config/index.ts'
import { systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { httpReceiver } from '../support/receivers.ts'
import { decisionDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** What a log is handed on with to a webhook, and the lines that operators get of it. */
function handingTo(dataDirectory: string, port: number, positions: LogPositionStore) {
  const lines: string[] = []
  const url = `http://127.0.0.1:${port}/`
  const options: ExportingOptions = {
    config: configSchema.parse({
      dataDirectory,
      exporters: {
        secrets: { hook: 'a secret of more than thirty-two characters' },
        networks: ['127.0.0.0/8'],
        intervalMs: 10,
        receivers: [{ type: 'webhook', name: 'hook', url, from: 'beginning', format: 'record' }],
      },
    }).exporters,
    place: { dataDirectory },
    positions,
    lost: () => 0,
    log: { info: (_, line) => void lines.push(line), error: (_, line) => void lines.push(line) },
    server: () => ({ refusing: [], log: { ok: true }, sandbox: { isReady: true, losses: 0 } }),
    version: '0.0.0',
    pausesMs: { first: 10, longest: 10 },
  }
  return { lines, options }
}

/** The next thread that this process begins. */
const nextThread = (): Promise<Worker> => once(process, 'worker').then(([worker]) => worker as Worker)

/** A log whose records a webhook is sent, and the thread that sends them. */
async function exporting() {
  const dataDirectory = temporaryDirectory()
  const webhook = await httpReceiver(() => 200)
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const { lines, options } = handingTo(dataDirectory, webhook.port, storage.logPositions)
  const begun = nextThread()
  const handing = await openExporting(options)
  const thread = await begun
  onTestFinished(async () => {
    await handing.close()
    await storage.close()
    await webhook.kill()
  })
  const told = (): string[] =>
    webhook.sent.flatMap(({ body }) => (JSON.parse(body.toString()) as JsonObject[]).map(({ id }) => String(id)))
  const append = async (count: number): Promise<string[]> => {
    const receipts = await Promise.all(Array.from({ length: count }, () => storage.decisionLog.append(decisionDraft())))
    return receipts.map(({ id }) => id)
  }
  return { handing, webhook, told, append, lines, thread }
}

it('goes on where it was when its thread is lost, and that is told', async () => {
  const { handing, webhook, told, append, lines, thread } = await exporting()
  const before = await append(150)
  await webhook.until(() => told().length === before.length)
  const another = nextThread()
  await thread.terminate()
  const [state] = await handing.states()
  expect(state?.failing).toBe('the thread that sends it was lost: it ended')
  const after = await append(150)
  await webhook.until(() => told().includes(after.at(-1) ?? ''))
  expect([...new Set(told())]).toEqual([...before, ...after])
  expect(await another).not.toBe(thread)
  expect((await handing.states())[0]).toMatchObject({ name: 'hook', failing: null, position: expect.any(String) })
  expect(lines).toEqual([
    'the thread that hands the log on was lost; it is begun again',
    'the thread that hands the log on is there again',
  ])
})

it('does not begin where there is no log, and leaves no thread behind', async () => {
  const ended = nextThread().then((thread) => once(thread, 'exit'))
  const { lines, options } = handingTo(temporaryDirectory(), 9, { find: async () => null, keep: async () => {} })
  await expect(openExporting(options)).rejects.toMatchObject({ code: 'storage_unavailable' })
  expect(await ended).toEqual([0])
  expect(lines).toEqual([])
})

it('ends its thread when it is closed', async () => {
  const { handing, thread } = await exporting()
  const ended = once(thread, 'exit')
  await handing.close()
  expect(await ended).toEqual([0])
})
