// A process that writes records as fast as it can and sends them to a webhook and a file meanwhile. Made to be killed.
// Argument, as JSON: `dataDirectory`, `url` of the webhook, `file` that gets the same, and whether it shall `drain`: write
// nothing, end when both have everything, and say the ids of the log in their order. Otherwise it says each id once it is durable.
import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { openExporting } from '../../src/app/exporters/open-exporting.ts'
import { configSchema } from '../../src/config/index.ts'
import { systemClock, uuidv7 } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'

const { dataDirectory, url, file, drain } = JSON.parse(process.argv[2] ?? '{}') as {
  dataDirectory: string
  url: string
  file: string
  drain: boolean
}
/** One write call a line, past every buffer of this process: what the parent can read happened before the kill. */
function say(id: string): void {
  for (;;) {
    try {
      writeSync(1, `${JSON.stringify(id)}\n`)
      return
    } catch (error) {
      // The parent has not read yet and the pipe is full.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
  }
}

const storage = await openStorage({ dataDirectory, clock: systemClock })
const exporters = await openExporting({
  lost: () => 0,
  config: configSchema.parse({
    dataDirectory,
    exporters: {
      secrets: { hook: 'a secret of more than thirty-two characters' },
      networks: ['127.0.0.0/8'],
      intervalMs: 10,
      receivers: [
        { type: 'webhook', name: 'hook', url, from: 'beginning' },
        { type: 'file', name: 'lines', path: file, from: 'beginning', maxBytes: 100_000, files: 1000 },
      ],
    },
  }).exporters,
  place: { dataDirectory },
  positions: storage.logPositions,
  server: () => ({ refusing: [], log: storage.decisionLog.health(), sandbox: { isReady: true, losses: 0 } }),
  log: pino({ level: 'silent' }),
  version: '0.0.0',
})

if (drain) await drained()
else await Promise.all(Array.from({ length: 4 }, write))

async function write(): Promise<never> {
  for (;;) {
    const { id } = await storage.decisionLog.append({
      kind: 'credential',
      namespace: 'demo',
      run: 'run',
      call: uuidv7(systemClock.nowMs()),
      parentCall: null,
      trace: null,
      event: {},
    })
    say(id)
  }
}

async function drained(): Promise<void> {
  const ids: string[] = []
  for (let more = true; more;) {
    const after = ids.at(-1)
    const found = await storage.decisionLog.read({
      namespace: null,
      limit: 1000,
      ...(after === undefined ? {} : { afterId: after }),
    })
    ids.push(...found.map(({ id }) => id))
    more = found.length > 0
  }
  // A position moves when the receiver took what is before it.
  while ((await exporters.states()).some(({ position }) => position !== ids.at(-1)));
  await exporters.close()
  await storage.close()
  // Longer than what a pipe takes at once.
  process.stdout.write(`${JSON.stringify(ids)}\n`)
}
