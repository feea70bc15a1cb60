import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { containmentList } from '../../src/sandbox/containment/containment-list.ts'
import { checkEngine, sandboxConfigSchema, type EngineReport } from '../../src/sandbox/index.ts'

interface Recorded {
  readonly open: Readonly<Record<string, string>>
  readonly total: number
}

const recorded = JSON.parse(readFileSync(new URL('../../docs/containment.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Recorded>
>

/** The list on crun and gVisor is `npm run sandbox:check`, which `.ci/run` runs beside the tests. */
async function checkBubblewrap(): Promise<Extract<EngineReport, { status: 'checked' }>> {
  const report = await checkEngine(sandboxConfigSchema.parse({}), { engine: 'bubblewrap', mode: 'fresh', group: null })
  if (report.status !== 'checked') throw new Error(`${report.name}: ${report.reason}`)
  return report
}

describe('the whole containment list', () => {
  test('has no unexpected result on bubblewrap, and the exceptions that are written down', async () => {
    const { checks } = await checkBubblewrap()
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(checks.length).toBe(containmentList(process.arch).length)
    const open = checks.filter(({ verdict }) => verdict === 'open').map(({ id }) => id)
    // Some are open only where the machine is up for long or has what they look for.
    const written = Object.keys(recorded['bubblewrap fresh']?.open ?? {})
    expect(open.filter((id) => !written.includes(id))).toEqual([])
    expect(recorded['bubblewrap fresh']?.total).toBe(containmentList('x64').length)
  }, 120_000)
})
