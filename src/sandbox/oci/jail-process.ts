import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import type { Duplex, Readable } from 'node:stream'
import { killIfThere } from '../kill-if-there.ts'
import type { Jail, JailEnd } from '../sandbox-engine.ts'
import { childrenOf, hostPidOf } from './host-pid.ts'

const channelDescriptor = 3
const reactionMs = 2000
const searchMs = 2
const longestSearchMs = 5000

/** How one container is started. */
export interface ContainerStart {
  readonly program: string
  readonly args: readonly string[]
  /** What the program gets as its descriptor 0, where that is to be the runner's channel, and the other end of it. */
  readonly stdin: { readonly ours: Duplex; readonly theirs: Duplex } | null
  /** Where the runtime writes the number of the first process, as the cell counts, before it starts it. */
  readonly pidFile: string
  /** Are removed with everything in them when the container is gone. */
  readonly directories: readonly string[]
}

/**
 * Starts an OCI runtime that makes a container, waits for it and ends with it, and is the jail. The first process inside
 * is killed, and with it its process namespace; the runtime then reaps it and clears up. One that has no first process
 * yet is killed itself: what it has made by then waits for it on a pipe and ends.
 * `ended` waits for every holder of the streams, which is every process inside.
 */
export function startContainer(start: ContainerStart): Jail {
  const child = spawn(start.program, start.args, {
    env: {},
    cwd: '/',
    stdio: start.stdin === null ? ['ignore', 'pipe', 'pipe', 'pipe'] : [start.stdin.theirs, 'pipe', 'pipe'],
  })
  start.stdin?.theirs.destroy()
  const [, stdout, stderr] = child.stdio as unknown as [null, Readable, Readable]
  const channel = start.stdin?.ours ?? (child.stdio[channelDescriptor] as Duplex)
  // A jail that is already gone breaks these pipes; `ended` tells of it.
  for (const stream of [channel, stdout, stderr]) stream.on('error', () => stream.destroy())

  const pid = Promise.withResolvers<number | null>()
  const ended = Promise.withResolvers<JailEnd>()
  let exitCode: number | null = null
  let inside: number | null = null
  const find = (): number | null => (inside ??= child.pid === undefined ? null : firstProcess(start.pidFile, child.pid))
  // The runner speaks when it is there. Its number may come a little later: runc writes it down last.
  let waitedMs = 0
  let search: NodeJS.Timeout | null = null
  const tell = (): void => {
    const found = find()
    waitedMs += searchMs
    if (found !== null || waitedMs > longestSearchMs) pid.resolve(found)
    else search = setTimeout(tell, searchMs)
  }
  channel.once('data', tell)
  let lastResort: NodeJS.Timeout | null = null
  const end = (): void => {
    if (lastResort !== null) clearTimeout(lastResort)
    if (search !== null) clearTimeout(search)
    for (const directory of start.directories) rmSync(directory, { recursive: true, force: true })
    pid.resolve(null)
    ended.resolve({ exitCode })
  }
  child.on('error', () => {
    if (child.pid === undefined) end()
  })
  child.on('exit', (code) => (exitCode = code))
  child.on('close', end)
  const killRuntime = (): void => {
    for (const one of child.pid === undefined ? [] : childrenOf(child.pid)) killIfThere(one)
    child.kill('SIGKILL')
    channel.destroy()
  }
  const kill = (): void => {
    // Not once the runtime is gone: from then on the number may belong to another process.
    if (child.exitCode !== null || child.signalCode !== null) return
    const first = find()
    if (first === null) return killRuntime()
    killIfThere(first)
    lastResort ??= setTimeout(killRuntime, reactionMs)
  }
  return { channel, stdout, stderr, pid: pid.promise, ended: ended.promise, kill }
}

/** The first process of a container as this process counts, from the number that the runtime wrote down. */
function firstProcess(pidFile: string, root: number): number | null {
  const text = pidText(pidFile)
  return text === null ? null : hostPidOf(Number(text), root)
}

function pidText(pidFile: string): string | null {
  try {
    const text = readFileSync(pidFile, 'latin1').trim()
    return /^\d+$/.test(text) ? text : null
  } catch {
    return null
  }
}
