import type { GroupReading, GroupUsage } from './group-slot.ts'

/** What confines and counts one jail, from its start to its end. */
export interface ConfiningGroup {
  /** Sees to it that the jail's first process is in it, with all its threads. */
  confine(pid: number): Promise<{ readonly ok: true } | { readonly ok: false; readonly why: string }>
  /** What the jail has used; after the end, what it used in all. */
  usage(): GroupUsage
  /** Processor time so far, or in all; `null` where nothing counts it. */
  cpuMs(): number | null
  /** The bounds as they stand there for a process that is in it; `null` where it is not, or they cannot be read. */
  readBack(pid: number): GroupReading | null
  /** The jail is gone. The group is then another's. May be called more than once. */
  end(): void
}
