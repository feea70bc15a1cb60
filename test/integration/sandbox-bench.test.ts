import { expect, test } from 'vitest'
import { benchSandbox } from '../../src/app/index.ts'
import { loadConfig } from '../../src/config/index.ts'

test('a row for each engine and mode has checked figures, or the reason why it has none', async () => {
  const loaded = loadConfig({
    env: { MCPWORKS_SANDBOX_NSJAIL_PATH: '/nowhere/nsjail' },
    cwd: '/',
    file: null,
    flags: {},
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const { unjailedPythonMs, rows } = await benchSandbox(loaded.config, {
    engines: ['nsjail', 'bubblewrap', 'kata'],
    withChecks: false,
  })
  expect(unjailedPythonMs).toBeGreaterThan(0)
  expect(rows.map(({ name, mode, status }) => [name, mode, status])).toEqual([
    ['nsjail', 'fast', 'not there'],
    ['bubblewrap', 'fast', 'measured'],
    ['bubblewrap', 'fresh', 'measured'],
    ['kata', 'fresh', 'not there'],
  ])
  const figures = rows.flatMap((row) =>
    row.status === 'measured'
      ? Object.values(row.figures).flatMap((each) => [each.p50_ms, each.per_second, each.calls])
      : [],
  )
  expect(figures).toHaveLength(12)
  expect(Math.min(...figures)).toBeGreaterThan(0)
  expect(rows[1]).toMatchObject({
    version: expect.stringMatching(/^\d/),
    systemCalls: { python: { always: expect.any(Number), byArguments: expect.any(Number) } },
    checks: null,
  })
})
