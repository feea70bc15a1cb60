import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { runTool } from '../executor/run-tool.ts'
import type { CellTools } from './find-tools.ts'

/**
 * Where all runtimes of an executor work: namespaces of users, processes and mounts of their own, with a tmpfs for their
 * bundles and states. Its first process ends when this process does, by whatever cause; then the kernel ends every process
 * in it, however deep, and what they left behind was in memory. OCI runtimes themselves tie no container to anyone's life.
 */
export interface Cell {
  /** The directory for bundles and states as processes in the cell see it, and as this process does. */
  readonly directory: string
  readonly directoryFromHere: string
  /** The program and arguments that run a command in the cell. */
  command(program: string, args: readonly string[]): readonly [string, readonly string[]]
  /** Ends everything in it. */
  close(): Promise<void>
}

/** A directory that every system has and that nothing is bound from. What is there is covered in the cell alone. */
const directory = '/dev/shm'
const cgroups = '/sys/fs/cgroup'
/** A bundle is some 10 kB, and the skeletons of root directories are a few entries. */
const directoryOptions = 'mode=0700,size=64m,nr_inodes=65536,nosuid,nodev,noexec'

/**
 * Opens a cell. Inside, this process's user is id 0, which is what the runtimes need to make the next user namespace.
 * `hidesCgroups` shows the runtimes an empty tmpfs in the place of the cgroups.
 * @throws Error with what the system said, where it allows no such namespaces
 */
export async function openCell(tools: CellTools, hidesCgroups: boolean): Promise<Cell> {
  const namespaces = ['--user', '--map-root-user', '--mount', '--mount-proc', '--pid', '--fork', '--kill-child=KILL']
  // cat ends when its stdin does, and that is when this process is gone. What it is sent comes back: then it is there.
  const child = spawn(tools.setpriv, ['--pdeathsig', 'KILL', tools.unshare, ...namespaces, tools.cat], {
    env: {},
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  await answered(child)
  let isClosing = false
  const ended = endOf(child).then(() => {
    // Every jail is gone with it and no other can be made. An executor that ends is started again, with a new cell.
    if (!isClosing) process.exit(1)
    return undefined
  })
  const close = async (): Promise<void> => {
    isClosing = true
    child.stdin.end()
    await ended
  }
  const first = onlyChild(child)
  const enter = ['--preserve-credentials', '--user', '--mount', '--pid', '--target', String(first)]
  const command = (program: string, args: readonly string[]): readonly [string, readonly string[]] => [
    tools.nsenter,
    [...enter, program, ...args],
  ]
  const mount = async (options: string, where: string): Promise<void> => {
    await runTool(...command(tools.mount, ['-n', '-t', 'tmpfs', '-o', options, 'tmpfs', where]))
  }
  try {
    await mount(directoryOptions, directory)
    if (hidesCgroups) await mount('ro,size=4k', cgroups)
  } catch (error) {
    await close()
    throw error
  }
  return {
    directory,
    directoryFromHere: `/proc/${String(first)}/root${directory}`,
    command,
    close,
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  const gone = Promise.withResolvers<undefined>()
  child.on('close', () => gone.resolve(undefined))
  child.on('error', () => {
    if (child.pid === undefined) gone.resolve(undefined)
  })
  await gone.promise
}

async function answered(child: ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  let said = ''
  child.stdin.on('error', () => undefined)
  child.stderr.on('data', (part: Buffer) => (said = (said + part.toString('utf8')).slice(0, 500)))
  child.stdout.once('data', () => resolve(undefined))
  child.on('error', reject)
  child.on('close', () => reject(new Error(said.trim() || 'the namespaces for the runtime could not be made')))
  child.stdin.write('\n')
  await promise
}

/** The process that `unshare` started: the first one of the cell. */
function onlyChild(child: ChildProcess): number {
  const pid = String(child.pid)
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')
  const [first = ''] = children
  if (children.length !== 1 || !/^\d+$/.test(first)) throw new Error('the first process of the cell was not found')
  return Number(first)
}
