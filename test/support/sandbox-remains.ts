import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { hostMounts } from './host-mounts.ts'
import { jailProcesses } from './jail-processes.ts'
import { jailGroups } from './own-groups.ts'

/** What an executor holds between calls. */
export interface Holdings {
  readonly executor: number
  readonly mounts: ReadonlySet<string>
  readonly groups: number
  /** Of the executor and its launcher, without the files of groups, which are kept for the next jails and bounded. */
  readonly descriptors: number
}

/** Kinds of processes above a jail in mode `fast`, from it up. `first` is the first of the outer jail. */
export const kindsAbove = ['jail', 'slot', 'zygote', 'first', 'outer', 'launcher', 'executor'] as const

const patienceMs = 8000
const roundMs = 10

function statusOf(pid: number | string, name: string): string {
  try {
    const text = readFileSync(`/proc/${String(pid)}/status`, 'latin1')
    return new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(text)?.[1] ?? ''
  } catch {
    return ''
  }
}

const parentOf = (pid: number): number => Number(statusOf(pid, 'PPid'))
const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
const allProcesses = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

/** The executors that this process has started and that are alive. */
export function executors(): number[] {
  return allProcesses().filter(
    (pid) => parentOf(pid) === process.pid && commandOf(pid).includes('sandbox/executor/main'),
  )
}

/** From a process up to its executor, itself first. */
function chainAbove(pid: number): number[] {
  const chain = [pid]
  for (let parent = parentOf(pid); parent > 1 && parent !== process.pid; parent = parentOf(parent)) chain.push(parent)
  return chain
}

/** The process of that kind above a jail, or the jail's own. @throws Error where the jail has ended */
export function processAbove(jail: number, kind: (typeof kindsAbove)[number]): number {
  const chain = chainAbove(jail)
  const pid = chain[kindsAbove.indexOf(kind)]
  // Never a number that is not a process of this jail: 0 would be everybody who runs these tests.
  if (pid === undefined || chain.length !== kindsAbove.length)
    throw new Error(`${String(chain.length)} processes from the jail to its executor`)
  return pid
}

/** Every living process below an executor that is the first of the deepest process namespace there: the jails. */
export function jailsOf(executor: number): number[] {
  const inside = allProcesses().filter((pid) => statusOf(pid, 'NSpid').replaceAll('\t', ' ').endsWith(' 1'))
  const firsts = inside.filter((pid) => chainAbove(pid).includes(executor))
  return firsts.filter((pid) => !commandOf(pid).includes('zygote.py') || statusOf(pid, 'NSpid').split(/\s+/).length > 2)
}

/** What an executor holds. Only to be taken while nothing runs. */
export function holdingsOf(executor: number): Holdings {
  const launcher = allProcesses().find((pid) => parentOf(pid) === executor && commandOf(pid).includes('launcher.py'))
  const counts = [executor, launcher].map((pid) => (pid === undefined ? 0 : descriptorsOf(pid)))
  return {
    executor,
    mounts: new Set(hostMounts()),
    groups: jailGroups().length,
    descriptors: counts.reduce((sum, count) => sum + count, 0),
  }
}

function descriptorsOf(pid: number): number {
  const directory = `/proc/${String(pid)}/fd`
  let count = 0
  for (const name of readdirSync(directory)) {
    try {
      if (!readlinkSync(`${directory}/${name}`).includes('/cgroup')) count += 1
    } catch {
      // Closed between the listing and the look.
    }
  }
  return count
}

/**
 * What a fault has left behind: processes of jails, or of an executor that is gone; mounts; groups and descriptors beyond
 * those of before; directories of executors that are gone. Waits some seconds for it to become nothing. `ownUid` is an id
 * that only the sandbox of this test uses.
 */
export async function remainsAfter(before: Holdings, ownUid: number): Promise<string[]> {
  const end = performance.now() + patienceMs
  for (;;) {
    const found = remains(before, ownUid)
    if (found.length === 0 || performance.now() > end) return found
    await pause(roundMs)
  }
}

function remains(before: Holdings, ownUid: number): string[] {
  const [executor] = executors()
  if (executor === undefined) return ['the executor is gone']
  const now = holdingsOf(executor)
  const strays = processesOf(ownUid).filter((pid) => !chainAbove(pid).includes(executor))
  return [
    ...jailProcesses().map((name) => `process ${name}`),
    ...strays.map((pid) => `process ${String(pid)} without an executor: ${commandOf(pid).replaceAll('\0', ' ')}`),
    ...[...now.mounts].filter((line) => !before.mounts.has(line)).map((line) => `mount ${line}`),
    ...(now.descriptors > before.descriptors
      ? [`${String(now.descriptors)} descriptors instead of ${String(before.descriptors)}`]
      : []),
    ...(now.groups > before.groups + spareGroups ? [`${String(now.groups)} groups`] : []),
    ...(executor === before.executor ? [] : directoriesOf(before.executor).map((name) => `directory ${name}`)),
  ]
}

/** Groups are used again once they are empty; until then others are made. */
const spareGroups = 16

/** Processes of a user, also those that wait to be reaped. */
export function processesOf(uid: number): number[] {
  return allProcesses().filter((pid) => statusOf(pid, 'Uid').startsWith(`${String(uid)}\t`))
}

/** What an executor has in the temporary directory. */
export function directoriesOf(executor: number): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`mcpworks-${String(executor)}-`))
}
