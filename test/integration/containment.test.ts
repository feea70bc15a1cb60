import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { containmentGroups } from '../../src/sandbox/containment/containment-check.ts'
import { containmentList } from '../../src/sandbox/containment/containment-list.ts'
import { checkEngine, sandboxConfigSchema, type EngineReport } from '../../src/sandbox/index.ts'

interface Recorded {
  readonly open: Readonly<Record<string, string>>
  readonly total: number
}

const recorded = JSON.parse(readFileSync(new URL('../../docs/containment.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Recorded>
>

async function check(
  engine: 'bubblewrap' | 'crun' | 'runsc',
  group: (typeof containmentGroups)[number] | null,
): Promise<Extract<EngineReport, { status: 'checked' }>> {
  const report = await checkEngine(sandboxConfigSchema.parse({}), { engine, mode: 'fresh', group })
  if (report.status !== 'checked') throw new Error(`${report.name}: ${report.reason}`)
  return report
}

describe('the whole containment list', () => {
  test('has no unexpected result on bubblewrap, and the exceptions that are written down', async () => {
    const { checks } = await check('bubblewrap', null)
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(checks.length).toBe(containmentList(process.arch).length)
    const open = checks.filter(({ verdict }) => verdict === 'open').map(({ id }) => id)
    // Some are open only where the machine is up for long or has what they look for.
    const written = Object.keys(recorded['bubblewrap fresh']?.open ?? {})
    expect(open.filter((id) => !written.includes(id))).toEqual([])
    expect(recorded['bubblewrap fresh']?.total).toBe(containmentList('x64').length)
  }, 120_000)

  // The whole list on these is `npm run sandbox:check`, which `.ci/run` runs beside the tests.
  test.each(['crun', 'runsc'] as const)(
    'has no unexpected result on %s, in the parts that need few jails',
    async (engine) => {
      for (const group of ['sys', 'network', 'signals'] as const) {
        const { checks } = await check(engine, group)
        expect(checks.filter(({ ok }) => !ok)).toEqual([])
        expect(checks.filter(({ verdict }) => verdict === 'held').length).toBeGreaterThan(checks.length / 3)
      }
    },
    180_000,
  )
})
