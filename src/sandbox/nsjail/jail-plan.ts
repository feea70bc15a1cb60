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
  /** A kafel policy, loaded before the program is executed. */
  readonly policy: string
  /** `RLIMIT_*` number and value; those that are not named stay as this process has them. */
  readonly limits: readonly (readonly [number, number])[]
}

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
    policy,
    limits: [],
  }
}

/** From Linux 5.8 on a procfs can leave out everything but processes; before, what tells of the host is covered. */
export function strictestProcfs(covered: readonly string[], kernel = release()): PlannedProcfs {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
  const canHide = major > 5 || (major === 5 && minor >= 8)
  return canHide ? { shows: 'own', covered: [] } : { shows: 'whole', covered }
}
