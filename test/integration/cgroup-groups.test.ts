import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const holder = fileURLToPath(new URL('./group-holder.ts', import.meta.url))

async function held(what: 'fork' | 'memory'): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [holder, what], { env: {}, cwd: '/' })
  return JSON.parse(stdout) as Record<string, unknown>
}

test('a group refuses more processes than its bound, without a filter, and is emptied and removed', async () => {
  const eagain = 11
  // The one that forks counts.
  expect(await held('fork')).toMatchObject({ said: [`5 ${String(eagain)}`], siblingAlive: true, left: 0 })
})

test('a group that takes too much memory is ended by the kernel at its own bound, and alone', async () => {
  const { usage, ...rest } = await held('memory')
  // Version 2 counts the process twice, as one and as its group.
  expect((usage as { oomKills: number }).oomKills).toBeGreaterThanOrEqual(1)
  expect(usage).toMatchObject({ isAtBound: true })
  expect(rest).toMatchObject({
    said: [null, 'SIGKILL'],
    siblingAlive: true,
    left: 0,
  })
})
