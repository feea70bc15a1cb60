import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { verifyDecisionLog, type Receipt } from '../../src/audit/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openAuditReader, openStorage } from '../../src/storage/index.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const loadScript = fileURLToPath(new URL('../support/audit-load.ts', import.meta.url))
const rounds = 20
const callers = 16

/** Lets the load run until `count` appends were acknowledged, kills it, and gives everything that was acknowledged. */
async function runAndKill(dataDirectory: string, count: number): Promise<Receipt[]> {
  const child = spawn(process.execPath, [loadScript, dataDirectory, String(callers)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const acknowledged: Receipt[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line)
    if ('index' in said) acknowledged.push(said)
    if (acknowledged.length === count) child.kill('SIGKILL')
  }
  const [, signal] = await closed
  expect(signal).toBe('SIGKILL')
  return acknowledged
}

async function storedPlaces(dataDirectory: string): Promise<Map<string, string>> {
  const reader = openAuditReader({ dataDirectory })
  const places = new Map<string, string>()
  for (let next = 0; ;) {
    const rows = await reader.records(next, 1000)
    for (const row of rows) places.set(row.id, `${row.namespace}/${row.index}`)
    const last = rows.at(-1)
    if (last === undefined) break
    next = last.seq + 1
  }
  await reader.close()
  return places
}

async function verified(dataDirectory: string) {
  const reader = openAuditReader({ dataDirectory })
  const report = await verifyDecisionLog({ reader })
  await reader.close()
  return report
}

describe('the decision log under kill -9', () => {
  it(
    `has everything that was acknowledged, after each of ${rounds} kills under load`,
    { timeout: 180_000 },
    async () => {
      const dataDirectory = join(temporaryDirectory(), 'data')
      const acknowledged: Receipt[] = []
      let abandoned = 0
      for (let round = 0; round < rounds; round++) {
        acknowledged.push(...(await runAndKill(dataDirectory, 1 + Math.floor(Math.random() * 600))))
        const report = await verified(dataDirectory)
        expect(report.firstProblem).toBeNull()
        expect(report.ok).toBe(true)
        abandoned += report.unfinished
      }
      const places = await storedPlaces(dataDirectory)
      for (const { id, namespace, index } of acknowledged) expect(places.get(id)).toBe(`${namespace}/${index}`)
      // The kills have to have come in the middle of calls, or the reaper was never tried.
      expect(abandoned).toBeGreaterThan(0)
      const storage = await openStorage({ dataDirectory, clock: systemClock })
      const closing = await storage.decisionLog.read({ namespace: null, kinds: ['abandoned'], limit: 1000 })
      await storage.close()
      expect(closing).toHaveLength(abandoned)
      expect(await verified(dataDirectory)).toMatchObject({ ok: true, unfinished: 0, headAuthenticated: true })
    },
  )
})
