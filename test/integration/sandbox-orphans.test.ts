import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { sandboxConfigSchema, startSandbox } from '../../src/sandbox/index.ts'

/** Of no other executor: each one that starts ends what was left to its own id. */
const executorUid = 1_993_000_000 + process.pid
const config = sandboxConfigSchema.parse({ engine: 'bubblewrap', executorUid })
const asRoot = process.getuid?.() === 0
const owner = asRoot ? { uid: config.executorUid, gid: config.executorGid } : {}

/** Starts a program whose parent ends at once, as a killed executor leaves its jails. Answers its process id. */
async function orphan(argv: readonly string[]): Promise<number> {
  const source = `
    const { spawn } = require('node:child_process')
    const [command, ...args] = ${JSON.stringify(argv)}
    const child = spawn(command, args, { detached: true, stdio: 'ignore' })
    child.unref()
    console.log(child.pid)`
  const parent = spawn('/usr/bin/env', ['node', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    ...owner,
  })
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  if (parent.exitCode === null) await once(parent, 'exit')
  return Number(line)
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const jail = ['/usr/bin/bwrap', '--ro-bind', '/', '/', '--', '/usr/bin/sleep', '60']

it('ends what a killed executor left behind, and no other bubblewrap of the same user', async () => {
  const left = await orphan([...jail.slice(0, 4), '--setenv', 'MARK', '/runner/main.py', ...jail.slice(4)])
  const foreign = await orphan(jail)
  expect([left, foreign].map(isAlive)).toEqual([true, true])
  const sandbox = await startSandbox(config)
  try {
    expect(isAlive(left)).toBe(false)
    expect(isAlive(foreign)).toBe(true)
  } finally {
    await sandbox.close()
    // Each leads a group, with the program that it started in it.
    for (const pid of [left, foreign]) process.kill(-pid, 'SIGKILL')
  }
})
