import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { JsonObject } from '../../src/kernel/index.ts'
import { bundleLoad } from './bundled-load.ts'
import { httpReceiver } from './receivers.ts'

/** What a webhook was told by processes that were killed again and again. */
export interface KilledExport {
  /** Ids of the log in their order. */
  readonly log: readonly string[]
  /** Ids that a killed process said were durable. */
  readonly acknowledged: readonly string[]
  /** Ids as they were taken, those that came again included. */
  readonly told: readonly string[]
  /** Ids of the lines of the files, the oldest first. */
  readonly lines: readonly string[]
}

/**
 * Kills a process that writes and sends records, each time when it has said so many lines as `points` has, then lets one
 * send what is left. The webhook refuses every third request.
 */
export async function killExporter(dataDirectory: string, points: readonly number[]): Promise<KilledExport> {
  let requests = 0
  const webhook = await httpReceiver(() => (++requests % 3 === 0 ? 503 : 200))
  const acknowledged: string[] = []
  const load = await bundleLoad('audit-exporting-load')
  const run = (given: JsonObject, lines: number | null): Promise<string[]> => runLoad(load.script, given, lines)
  const file = join(dataDirectory, 'records.jsonl')
  const argument = { dataDirectory, file, url: `http://127.0.0.1:${webhook.port}/hook` }
  try {
    for (const lines of points) acknowledged.push(...(await run({ ...argument, drain: false }, lines)))
    const [log = 'nothing was said'] = await run({ ...argument, drain: true }, null)
    const told = webhook.sent
      .filter(({ isTaken }) => isTaken)
      .flatMap(({ body }) => (JSON.parse(body.toString()) as JsonObject[]).map(({ id }) => String(id)))
    return {
      log: JSON.parse(log) as string[],
      acknowledged: acknowledged.map((line) => String(JSON.parse(line))),
      told,
      lines: linesOf(file),
    }
  } finally {
    load.remove()
    await webhook.kill()
  }
}

/** What full files hold, from the one with the highest number on, and then the one that is written. */
function linesOf(file: string): string[] {
  const numbers = readdirSync(dirname(file)).flatMap((name) => {
    const [, number] = /^records\.jsonl\.(\d+)$/.exec(name) ?? []
    return number === undefined ? [] : [Number(number)]
  })
  const full = numbers.sort((one, other) => other - one).map((number) => `${file}.${number}`)
  return [...full, file].flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => String((JSON.parse(line) as JsonObject).id)),
  )
}

/** What a process said: until it had said so many lines and was killed, or until it ended by itself. */
async function runLoad(script: string, argument: JsonObject, lines: number | null): Promise<string[]> {
  const child = spawn(process.execPath, [script, JSON.stringify(argument)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const said: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    // The last line may have been cut off by the kill, and then it was not said.
    if (/^(".*"|\[.*\])$/.test(line)) said.push(line)
    if (said.length === lines) child.kill('SIGKILL')
  }
  const [code, signal] = (await closed) as [number | null, string | null]
  if (lines === null ? code !== 0 : signal !== 'SIGKILL') throw new Error(`it ended with ${code ?? signal}`)
  return said
}
