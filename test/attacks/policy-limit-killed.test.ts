import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { isJsonObject, systemClock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { mcp, startTestApp, toolResult, type TestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/**
 * Threat category "authorization" (design/threats.md): who can make the server end begins with a clean count, if counts
 * are only in memory or are written now and then. A tool may be called twenty times a day here.
 */
const script = fileURLToPath(new URL('../support/limited-server.ts', import.meta.url))

/** Calls the tool until five calls were answered, and kills the server in the middle of the others. Gives the key. */
async function callAndKill(dataDirectory: string): Promise<string> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, dataDirectory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { url, key } = JSON.parse(line) as { url: string; key: string }
  let answered = 0
  const calls = Array.from({ length: 12 }, async () => {
    await mcp(url, key, 'demo', 'tools/call', { name: 'limited', arguments: {} })
    answered += 1
    if (answered === 5) child.kill('SIGKILL')
  })
  await Promise.allSettled(calls)
  await ended
  return key
}

/** How many calls the counters on the disk know of. */
async function keptOnDisk(dataDirectory: string): Promise<number> {
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const counters = await storage.usageCounters.load(0, 100)
  await storage.close()
  return counters.find(({ target }) => target === null)?.calls ?? 0
}

/** Calls of the tool that the log says were allowed. */
async function allowed(tested: TestApp): Promise<number> {
  const { records } = await tested.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'decision', limit: 1000 })
  return (records as { record: { decision: { effect: string }; pre: { target: { tool: string } } } }[]).filter(
    ({ record }) => record.decision.effect === 'allow' && record.pre.target.tool === 'limited',
  ).length
}

/** Labels that the run had before a call of the tool. */
async function labelsOfNextCall(tested: TestApp, key: string): Promise<unknown> {
  const { call } = toolResult((await tested.call(key, 'demo', 'limited', {})).message)
  const explained = await tested.manage('demo', 'audit.why', { namespace: 'demo', call })
  return isJsonObject(explained.facts) ? explained.facts.labels : null
}

it('lets the rest of the twenty through after the server was killed, and not one more', async () => {
  const dataDirectory = temporaryDirectory()
  const key = await callAndKill(dataDirectory)
  const kept = await keptOnDisk(dataDirectory)
  const tested = await startTestApp({
    dataDirectory,
    entries: [toolEntry('limited', async () => textOutcome('done'))],
  })
  onTestFinished(async () => tested.close())
  const recorded = await allowed(tested)
  expect(recorded).toBeGreaterThanOrEqual(5)
  // The control: who believed the counters on the disk would let more than twenty through.
  expect(kept).toBeLessThan(recorded)
  // Whoever saw one of the answers is in a run that has the label, and still is.
  expect(await labelsOfNextCall(tested, key)).toEqual(['seen'])

  const answers = await Promise.all(
    Array.from({ length: 29 }, async () => toolResult((await tested.call(key, 'demo', 'limited', {})).message)),
  )
  expect(answers.filter(({ isError }) => !isError)).toHaveLength(20 - recorded - 1)
  expect(await allowed(tested)).toBe(20)
})
