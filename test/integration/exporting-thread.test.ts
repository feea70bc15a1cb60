import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { openExporting } from '../../src/app/exporters/open-exporting.ts'
import { configSchema } from '../../src/config/index.ts'
import { systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { httpReceiver } from '../support/receivers.ts'
import { decisionDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** A log whose records a webhook is sent, and the thread that sends them. */
async function exporting() {
  const dataDirectory = temporaryDirectory()
  const webhook = await httpReceiver(() => 200)
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const lines: string[] = []
  const begun: Promise<Worker>[] = []
  const thread = (): Promise<Worker> => begun[begun.length - 1] ?? Promise.reject(new Error('there is no thread'))
  const nextThread = (): void => void begun.push(once(process, 'worker').then(([worker]) => worker as Worker))
  nextThread()
  const handing = await openExporting({
    lost: () => 0,
    config: configSchema.parse({
      dataDirectory,
      exporters: {
        secrets: { hook: 'a secret of more than thirty-two characters' },
        networks: ['127.0.0.0/8'],
        intervalMs: 10,
        receivers: [
          {
            type: 'webhook',
            name: 'hook',
            url: `http://127.0.0.1:${webhook.port}/`,
            from: 'beginning',
            format: 'record',
          },
        ],
      },
    }).exporters,
    place: { dataDirectory },
    positions: storage.logPositions,
    log: { info: (_, line) => void lines.push(line), error: (_, line) => void lines.push(line) },
    server: () => ({ refusing: [], log: storage.decisionLog.health(), sandbox: { isReady: true, losses: 0 } }),
    version: '0.0.0',
    pausesMs: { first: 10, longest: 10 },
  })
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
  return { handing, webhook, told, append, lines, thread, nextThread }
}

it('goes on where it was when its thread is lost, and that is told', async () => {
  const { handing, webhook, told, append, lines, thread, nextThread } = await exporting()
  const before = await append(150)
  await webhook.until(() => told().length === before.length)
  const lost = await thread()
  nextThread()
  await lost.terminate()
  const [state] = await handing.states()
  expect(state?.failing).toBe('the thread that sends it was lost: it ended')
  const after = await append(150)
  await webhook.until(() => told().includes(after.at(-1) ?? ''))
  expect([...new Set(told())]).toEqual([...before, ...after])
  expect(await thread()).not.toBe(lost)
  expect((await handing.states())[0]).toMatchObject({ name: 'hook', failing: null, position: expect.any(String) })
  expect(lines).toEqual([
    'the thread that hands the log on was lost; it is begun again',
    'the thread that hands the log on is there again',
  ])
})

it('ends its thread when it is closed', async () => {
  const { handing, thread } = await exporting()
  const ended = once(await thread(), 'exit')
  await handing.close()
  expect(await ended).toEqual([0])
})
