import { closeSync, mkdirSync, openSync, readFileSync, write } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GroupFile } from './group-file.ts'
import { writeGroupFile } from './group-files.ts'
import type { GroupBranch } from './group-subtree.ts'
import type { Controller } from './hierarchies.ts'
import { MemoryAccountV1, MemoryAccountV2, type MemoryAccount } from './memory-account.ts'
import { killGroup, removeGroup } from './remove-subtree.ts'

/** A processor takes up to 64 pages at once on a group's account. */
const chargedAtOnceBytes = 1024 * 1024

/** More than this left on a group's account by an earlier jail, and it is not used again. */
const mostLeftoverBytes = 8 * 1024 * 1024

const writeTo = promisify(write)

/** What one jail may take together with everything it starts. */
export interface GroupBounds {
  /** Memory, tmpfs and what the kernel keeps for them. */
  readonly memoryBytes: number
  /** Processes and threads. */
  readonly processes: number
}

/** What bounds a group, as its files say; `null` for no bound. */
export interface GroupReading {
  readonly memoryBytes: number | null
  readonly processes: number | null
}

/** What the processes of a group used since `begin`, as the kernel counts it. */
export interface GroupUsage {
  /** Of processes that have ended, too; in steps of a microsecond. `null` where no controller counts it. */
  readonly cpuMs: number | null
  readonly memoryBytes: number
  /** A lower bound, of what was seen now and then, where the kernel (version 2 before 6.12) cannot begin a new peak. */
  readonly peakMemoryBytes: number
  /** The most processes and threads at once. Never too high; `null` where nothing counts them. */
  readonly peakProcesses: number | null
  /** Processes that the kernel ended for want of memory. */
  readonly oomKills: number
  /** Whether it was this group's bound that was reached, rather than that of the machine or of a group above. */
  readonly isAtBound: boolean
}

interface Part {
  readonly version: 1 | 2
  readonly controllers: ReadonlySet<Controller>
  readonly group: string
  readonly procs: number
}

/**
 * One group of processes, in each hierarchy a directory of the same name: bounds, and what was used. For one jail at a
 * time, then for another. A process that is moved in keeps the memory that it had on the account of its old group.
 */
export class GroupSlot {
  readonly name: string
  readonly #parts: readonly Part[]
  readonly #memory: MemoryAccount
  readonly #pids: string
  readonly #processes: { readonly current: GroupFile; readonly peak: GroupFile }
  readonly #members: GroupFile
  readonly #cpu: { readonly version: 1 | 2; readonly file: GroupFile } | null
  #bounds: GroupBounds | null = null
  #begun = { cpuMs: 0, oomKills: 0, boundHits: 0, peakBytes: 0, peakProcesses: 0 }
  #seenPeakBytes = 0
  #seenProcesses = 0
  #countsPeak = false

  /** @throws what the kernel says where the groups cannot be made */
  constructor(branches: readonly GroupBranch[], name: string) {
    this.name = name
    this.#parts = branches.map(({ version, controllers, directory }) => {
      const group = join(directory, name)
      mkdirSync(group)
      return { version, controllers, group, procs: openSync(join(group, 'cgroup.procs'), 'w') }
    })
    const memory = this.#partWith('memory')
    this.#memory = memory.version === 1 ? new MemoryAccountV1(memory.group) : new MemoryAccountV2(memory.group)
    this.#pids = this.#partWith('pids').group
    this.#processes = {
      current: new GroupFile(this.#pids, 'pids.current', 'r'),
      // From Linux 6.11 on, and never to be begun anew.
      peak: new GroupFile(this.#pids, 'pids.peak', 'r'),
    }
    // Version 2 counts processor time in every group, whatever the controllers.
    const cpu = this.#parts.find(({ version, controllers }) => version === 2 || controllers.has('cpuacct'))
    const counter = cpu?.version === 2 ? 'cpu.stat' : 'cpuacct.usage'
    this.#cpu = cpu === undefined ? null : { version: cpu.version, file: new GroupFile(cpu.group, counter, 'r') }
    this.#members = new GroupFile(memory.group, 'cgroup.procs', 'r')
  }

  /** Sets the bounds and begins new counts. @throws what the kernel says, such as EBUSY for less memory than is in use */
  begin(bounds: GroupBounds): void {
    if (bounds.memoryBytes !== this.#bounds?.memoryBytes) this.#memory.bound(bounds.memoryBytes)
    if (bounds.processes !== this.#bounds?.processes) writeGroupFile(this.#pids, 'pids.max', bounds.processes)
    this.#bounds = bounds
    this.#countsPeak = this.#memory.resetPeak()
    this.#seenPeakBytes = 0
    this.#seenProcesses = 0
    this.#begun = {
      cpuMs: this.#allCpuMs() ?? 0,
      oomKills: this.#memory.oomKills(),
      boundHits: this.#memory.boundHits(),
      // Where no new peak can be begun, one that is higher than any before is this jail's.
      peakBytes: this.#countsPeak ? 0 : this.#memory.peakBytes(),
      peakProcesses: this.#processes.peak.number() ?? 0,
    }
  }

  /**
   * Moves a process with all its threads here; its children are born here. The kernel waits for a grace period, about
   * 8 ms without work here unless another process was just moved, so this does not block and is best done while a jail
   * starts. @throws what the kernel says, such as ESRCH of a process that is gone
   */
  async join(pid: number): Promise<void> {
    for (const { procs } of this.#parts) await writeTo(procs, String(pid))
  }

  /** The bounds in the group's own files, if the kernel says that the process is in this group; else `null`. */
  readBack(pid: number): GroupReading | null {
    const place = readText(`/proc/${pid}/cgroup`)
    const isIn = place?.split('\n').some((line) => line.endsWith(`/${this.name}`)) ?? false
    if (!isIn) return null
    const memory = this.#partWith('memory')
    const memoryFile = memory.version === 1 ? 'memory.limit_in_bytes' : 'memory.max'
    return {
      memoryBytes: boundOf(readText(join(memory.group, memoryFile))),
      processes: boundOf(readText(join(this.#pids, 'pids.max'))),
    }
  }

  /** Some reads of some microseconds each. */
  usage(): GroupUsage {
    const memoryBytes = this.#memory.bytes()
    const peakBytes = this.#memory.peakBytes()
    const knownPeakBytes = peakBytes > this.#begun.peakBytes ? peakBytes : 0
    this.#seenPeakBytes = Math.max(this.#seenPeakBytes, memoryBytes, knownPeakBytes)
    return {
      cpuMs: this.cpuMs(),
      memoryBytes,
      peakMemoryBytes: this.#seenPeakBytes,
      peakProcesses: this.#mostProcesses(),
      oomKills: this.#memory.oomKills() - this.#begun.oomKills,
      isAtBound: this.#memory.boundHits() > this.#begun.boundHits || this.#isPeakAtBound(),
    }
  }

  /** As in `usage`, by one read; peaks that the kernel cannot begin anew are looked for here, each by one more. */
  cpuMs(): number | null {
    if (!this.#countsPeak) this.#seenPeakBytes = Math.max(this.#seenPeakBytes, this.#memory.bytes())
    this.#countProcesses()
    const cpuMs = this.#allCpuMs()
    return cpuMs === null ? null : cpuMs - this.#begun.cpuMs
  }

  /**
   * Whether earlier jails left next to nothing on its account, such as names that the kernel keeps of files they looked
   * for. It would count as memory of the next one. To be asked between two jails.
   */
  isClean(): boolean {
    return this.#memory.bytes() <= mostLeftoverBytes
  }

  /** Whether there is no process in it. Not dead ones that wait to be reaped. */
  isEmpty(): boolean {
    return this.#members.isEmpty()
  }

  /** Kills what is in it. Does not wait for the end. */
  kill(): void {
    for (const { group } of this.#parts) killGroup(group)
  }

  /** True where it is gone; false while something is in it. Of no use afterwards. */
  remove(): boolean {
    return this.#parts.map(({ group }) => removeGroup(group)).every((isGone) => isGone)
  }

  /** Lets go of its descriptors. */
  close(): void {
    for (const { procs } of this.#parts) closeSync(procs)
    this.#members.close()
    this.#cpu?.file.close()
    this.#processes.current.close()
    this.#processes.peak.close()
    this.#memory.close()
  }

  /** Version 1 does not count (Linux 6.18) that memory and swap together reached their bound, so the peak tells as well. */
  #isPeakAtBound(): boolean {
    return this.#bounds !== null && this.#seenPeakBytes >= this.#bounds.memoryBytes - chargedAtOnceBytes
  }

  #countProcesses(): void {
    this.#seenProcesses = Math.max(this.#seenProcesses, this.#processes.current.number() ?? 0)
  }

  /** A peak that is higher than any before is this jail's; else it is the most that was seen now and then. */
  #mostProcesses(): number | null {
    this.#countProcesses()
    const peak = this.#processes.peak.number() ?? 0
    if (peak > this.#begun.peakProcesses) this.#seenProcesses = Math.max(this.#seenProcesses, peak)
    return this.#seenProcesses === 0 ? null : this.#seenProcesses
  }

  #partWith(controller: Controller): Part {
    const part = this.#parts.find(({ controllers }) => controllers.has(controller))
    if (part === undefined) throw new Error(`no group has the controller ${controller}`)
    return part
  }

  #allCpuMs(): number | null {
    if (this.#cpu === null) return null
    const { version, file } = this.#cpu
    const [value, perMs] = version === 2 ? [file.field('usage_usec'), 1000] : [file.number(), 1_000_000]
    return value === null ? null : value / perMs
  }
}

/** `max` is no bound; version 1 says so with a number that no machine has. */
function boundOf(text: string | null): number | null {
  const bound = Number(text ?? 'max')
  return Number.isSafeInteger(bound) ? bound : null
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return null
  }
}
