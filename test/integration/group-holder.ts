/**
 * Two groups with a Python in each, one of which takes what it can get. Prints what the kernel said of it, and what is
 * left at the end. A process of its own, because it moves itself into its executor's group.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { GroupPool } from '../../src/sandbox/cgroup/group-pool.ts'
import { leaveBranch, openSubtree } from '../../src/sandbox/cgroup/group-subtree.ts'

const mebibyte = 1024 * 1024
const codes: Readonly<Record<string, string>> = {
  fork: `
import os, time
forks = 0
try:
    while True:
        if os.fork() == 0: time.sleep(600)
        forks += 1
except OSError as error:
    print(forks, error.errno, flush=True)
time.sleep(600)`,
  memory: `
held = []
while True: held.append(bytearray(b'x') * (1 << 20))`,
}
const waits = 'import sys\nprint("up", flush=True)\nsys.stdin.readline()\n'

const opened = openSubtree(null)
if (!opened.ok) throw new Error(opened.reason)
const { branches } = opened.subtree
const pool = new GroupPool(opened.subtree, 4)

async function start(code: string): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn('/usr/bin/python3', ['-I', '-c', waits + code], { env: {}, cwd: '/' })
  await once(createInterface({ input: child.stdout }), 'line')
  return child
}

const bounds = { memoryBytes: 64 * mebibyte, processes: 6 }
const [slot, sibling] = [pool.take(bounds), pool.take(bounds)]
const [bomb, honest] = await Promise.all([start(codes[process.argv[2] ?? ''] ?? ''), start('sys.stdin.readline()')])
await Promise.all([slot.join(bomb.pid ?? 0), sibling.join(honest.pid ?? 0)])
const answer = process.argv[2] === 'fork' ? once(createInterface({ input: bomb.stdout }), 'line') : once(bomb, 'exit')
bomb.stdin.write('\n')
const said: unknown[] = await answer
const usage = slot.usage()
const siblingAlive = honest.exitCode === null && honest.signalCode === null && sibling.usage().oomKills === 0
const bombGone = bomb.signalCode === null ? once(bomb, 'exit') : null
const honestGone = once(honest, 'exit')
pool.release(slot)
pool.release(sibling)
await Promise.all([bombGone, honestGone])
await pool.close()
const left = branches.filter((branch) => !leaveBranch(branch)).length
process.stdout.write(JSON.stringify({ said, usage, siblingAlive, left }))
