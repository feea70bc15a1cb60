import { release } from 'node:os'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { jailProfile } from '../profile/jail-profile.ts'
import type { JailOrder } from '../sandbox-engine.ts'

/** One tmpfs of a jail. */
export interface PlannedTmpfs {
  readonly path: string
  readonly bytes: number
  readonly inodes: number
  /** Octal. */
  readonly mode: string
}

/** A procfs: `own` shows the jail's own processes and nothing else; `whole` is needed where jails are made inside of the jail. */
export interface PlannedProcfs {
  readonly path: string
  /** Whether it can be written to, as by one who makes user namespaces. */
  readonly isWritable: boolean
  readonly shows: 'own' | 'whole'
  /** Files to be covered, and directories with a final slash. Only a whole one has them. */
  readonly covered: readonly string[]
}

/**
 * All that differs between one jail and another: what is run, what it sees, its filter and its bounds. What no jail may
 * have otherwise (namespaces, ids, no capability, no network) is not here but in the configuration's writer.
 * User namespaces inside of the jail are a matter of the filter alone: nsjail puts no bound on them.
 */
export interface JailPlan {
  /** Program and arguments, as paths in the jail. */
  readonly command: readonly string[]
  /** Host path and path in the jail, read-only. */
  readonly binds: readonly (readonly [string, string])[]
  /** Target and path of symbolic links. */
  readonly links: readonly (readonly [string, string])[]
  readonly tmpfs: readonly PlannedTmpfs[]
  readonly procfs: PlannedProcfs | null
  /** Directories in the root on which something is to be mounted from inside. Each holds a link that leads nowhere. */
  readonly emptyDirectories: readonly string[]
  /** The descriptor that nsjail writes its log to: with all that it does, or, on stderr, with what goes wrong only. */
  readonly logDescriptor: number
  /** A kafel policy, loaded before the program is executed. */
  readonly policy: string
  /** `RLIMIT_*` number and value; those that are not named stay as this process has them. */
  readonly limits: readonly (readonly [number, number])[]
}

/** Descriptors of nsjail. The channel alone reaches the program in the jail. */
export const nsjailDescriptors = { stderr: 2, channel: 3, log: 4, config: 5 } as const

/** Where an outer jail has its procfs: its jails have another, or none, at /proc. */
const outerProcfs = `${jailProfile.runner}/proc`

/** tmpfs takes size 0 as "no bound", so none is ever asked for below this. */
const leastTmpfsBytes = 4096

/** The plan of a jail with a runner in it, without limits. Only sizes of the order count here. */
export function runnerPlan(
  layout: RuntimeLayout,
  { codeBytes, scratchBytes }: Pick<JailOrder, 'codeBytes' | 'scratchBytes'>,
  policy: string,
): JailPlan {
  const bytes = { code: codeBytes, scratch: scratchBytes }
  return {
    command: layout.command,
    binds: layout.binds,
    links: layout.links,
    tmpfs: Object.entries(jailProfile.tmpfs).map(([path, { mode, size, inodes }]) => ({
      path,
      bytes: Math.max(bytes[size], leastTmpfsBytes),
      inodes,
      mode,
    })),
    procfs: layout.procfs === null ? null : strictestProcfs(layout.procfs.covered),
    emptyDirectories: [],
    logDescriptor: nsjailDescriptors.log,
    policy,
    limits: [],
  }
}

/**
 * The plan of an outer jail: as for a jail, but its procfs is uncovered, as the kernel demands where another is to be
 * mounted inside, and can be written to, and the places of what its jails mount are empty.
 */
export function outerPlan(layout: RuntimeLayout, policy: string): JailPlan {
  return {
    command: layout.command,
    binds: layout.binds,
    links: layout.links,
    tmpfs: [],
    procfs: { path: outerProcfs, isWritable: true, shows: 'whole', covered: [] },
    emptyDirectories: [...Object.keys(jailProfile.tmpfs), ...(layout.procfs === null ? [] : ['/proc'])],
    logDescriptor: nsjailDescriptors.stderr,
    policy,
    limits: [],
  }
}

/** From Linux 5.8 on a procfs can leave out everything but processes; before, what tells of the host is covered. */
export function strictestProcfs(covered: readonly string[], kernel = release()): PlannedProcfs {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
  const canHide = major > 5 || (major === 5 && minor >= 8)
  const where = { path: '/proc', isWritable: false }
  return canHide ? { ...where, shows: 'own', covered: [] } : { ...where, shows: 'whole', covered }
}
