import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findHierarchies } from '../../src/sandbox/cgroup/hierarchies.ts'
import { sandboxConfigSchema, startSandbox, type Sandbox } from '../../src/sandbox/index.ts'
import { run } from '../attacks/sandbox/hosted-code.ts'
import { jailGroups, processesIn, subtrees } from '../support/own-groups.ts'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox(sandboxConfigSchema.parse({ waitingJails: 0, cgroups: 'required', concurrency: 4 }))
})

afterAll(async () => {
  await sandbox.close()
})

/** One process namespace deeper than the slot, which is in the group as well. */
function isJailed(pid: number | string): boolean {
  return /^NSpid:(?:\s+\d+){3}$/m.test(readFileSync(`/proc/${String(pid)}/status`, 'latin1'))
}

describe('a jail', () => {
  test('is in a group of its own in every hierarchy, and the self-test has seen that', async () => {
    const { cgroups, checks } = sandbox.describe()
    expect(cgroups).toMatchObject({ inUse: true })
    expect(checks.filter(({ id }) => id.endsWith('.cgroup'))).toMatchObject([
      { ok: true, got: 'of its own' },
      { ok: true, got: 'of its own' },
    ])
    const up = Promise.withResolvers<undefined>()
    const abort = new AbortController()
    const code = 'import mcpworks, time\ndef main(_):\n  mcpworks.log("up")\n  time.sleep(60)'
    const outcome = run(sandbox, 'python', code, {
      limits: { wallMs: 60_000 },
      signal: abort.signal,
      onLog: () => up.resolve(undefined),
    })
    await up.promise
    const during = jailGroups().filter((group) => processesIn(group).some(isJailed))
    abort.abort()
    expect(await outcome).toMatchObject({ status: 'killed', reason: 'cancelled' })
    expect(during.length).toBe(findHierarchies().length)
    expect(new Set(during.map((group) => group.split('/').at(-1))).size).toBe(1)
  })

  test.each(['python', 'typescript'] as const)('of %s has its processor time and memory counted', async (runtime) => {
    const work =
      runtime === 'python'
        ? 'def main(_):\n  held = bytearray(b"x") * (64 << 20)\n  return sum(range(3000000)) and len(held)'
        : 'export const main = () => { const held = Buffer.alloc(64 << 20, 1); let n = 0; for (let i = 0; i < 2e7; i++) n += i; return n && held.length }'
    const { status, usage } = await run(sandbox, runtime, work)
    expect(status).toBe('ok')
    expect(usage.cpuMs).toBeGreaterThan(5)
    expect(usage.peakMemoryBytes).toBeGreaterThan(64 << 20)
    expect(usage.peakMemoryBytes).toBeLessThan(200 << 20)
  })

  test('has its threads counted at once, and not those of whoever had its group before', async () => {
    const wait = (threads: number) =>
      `import threading\ndef main(_):\n  go = threading.Event()\n  all = [threading.Thread(target=go.wait) for _ in range(${threads})]\n  for one in all: one.start()\n  go.set()\n  for one in all: one.join()\n  return 1`
    const many = await run(sandbox, 'python', wait(100), { limits: { processes: 120 } })
    expect(many.usage.peakProcesses).toBeGreaterThanOrEqual(101)
    for (let n = 0; n < 4; n += 1) {
      const few = await run(sandbox, 'python', wait(0))
      expect(few.status).toBe('ok')
      expect(few.usage.peakProcesses ?? 0).toBeLessThan(100)
    }
  })

  test('has what its system calls read and wrote counted', async () => {
    const write = 'def main(_):\n  with open("/tmp/x", "wb") as f: f.write(b"x" * 1000000)\n  while True: pass'
    // One that is ended by the sandbox is looked at before.
    const { usage } = await run(sandbox, 'python', write, { limits: { wallMs: 200 } })
    expect(usage.writtenBytes).toBeGreaterThan(1_000_000)
    expect(usage.writtenBytes).toBeLessThan(1_100_000)
    expect(usage.readBytes).toBeGreaterThan(write.length)
    expect(usage.readBytes).toBeLessThan(1_000_000)
  })
})

test('groups are used again, and none is left when the sandbox is closed', async () => {
  const before = subtrees()
  const other = await startSandbox(sandboxConfigSchema.parse({ waitingJails: 0, cgroups: 'required', concurrency: 2 }))
  const own = subtrees().filter((directory) => !before.includes(directory))
  expect(own.length).toBe(findHierarchies().length)
  for (let n = 0; n < 6; n += 1)
    expect(await run(other, 'python', 'def main(_): return 1')).toMatchObject({ status: 'ok' })
  const used = jailGroups().filter((group) => own.some((directory) => group.startsWith(`${directory}/`)))
  // The self-test had three at once.
  expect(used.length).toBeLessThanOrEqual(own.length * 4)
  await other.close()
  expect(own.filter((directory) => existsSync(directory))).toEqual([])
})

test('cgroups that are off are not made, and are told as off', async () => {
  const other = await startSandbox(sandboxConfigSchema.parse({ waitingJails: 0, cgroups: 'off' }))
  expect(other.describe().cgroups).toEqual({ inUse: false, reason: 'sandbox.cgroups is off', remedy: null })
  const outcome = await run(other, 'python', 'def main(_): return 1')
  expect(outcome).toMatchObject({ status: 'ok' })
  expect(outcome.usage.peakMemoryBytes).toBeUndefined()
  await other.close()
})
