import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { GroupFile } from './group-file.ts'
import { tryGroupFile, writeGroupFile } from './group-files.ts'

/** The memory of one group, as one version of the kernel's interface tells it. */
export interface MemoryAccount {
  /** Memory and swap together. @throws what the kernel says, such as EBUSY for less than is in use */
  bound(bytes: number): void
  /** Begins a new peak. False where the kernel cannot. */
  resetPeak(): boolean
  bytes(): number
  /** Since the last `resetPeak` that was true, or ever; 0 where the kernel does not tell. */
  peakBytes(): number
  /** Processes ended for want of memory, ever. */
  oomKills(): number
  /** How often the bound of this very group was reached, ever. */
  boundHits(): number
  close(): void
}

/** Version 1 (Linux admin-guide/cgroup-v1/memory). */
export class MemoryAccountV1 implements MemoryAccount {
  readonly #group: string
  readonly #files: {
    readonly usage: GroupFile
    readonly peak: GroupFile
    readonly oom: GroupFile
    readonly hits: readonly GroupFile[]
  }

  constructor(group: string) {
    this.#group = group
    this.#files = {
      usage: new GroupFile(group, 'memory.usage_in_bytes', 'r'),
      peak: new GroupFile(group, 'memory.max_usage_in_bytes', 'r+'),
      oom: new GroupFile(group, 'memory.oom_control', 'r'),
      hits: ['memory.failcnt', 'memory.memsw.failcnt'].map((name) => new GroupFile(group, name, 'r')),
    }
  }

  bound(bytes: number): void {
    // Together with swap it may never be less than without.
    tryGroupFile(this.#group, 'memory.memsw.limit_in_bytes', -1)
    writeGroupFile(this.#group, 'memory.limit_in_bytes', bytes)
    tryGroupFile(this.#group, 'memory.memsw.limit_in_bytes', bytes)
  }

  resetPeak(): boolean {
    return this.#files.peak.write(0)
  }

  bytes(): number {
    return this.#files.usage.number() ?? 0
  }

  peakBytes(): number {
    return this.#files.peak.number() ?? 0
  }

  oomKills(): number {
    return this.#files.oom.field('oom_kill') ?? 0
  }

  boundHits(): number {
    return this.#files.hits.reduce((sum, file) => sum + (file.number() ?? 0), 0)
  }

  close(): void {
    const { usage, peak, oom, hits } = this.#files
    for (const file of [usage, peak, oom, ...hits]) file.close()
  }
}

/** Version 2 (Linux admin-guide/cgroup-v2, "Memory Interface Files"). */
export class MemoryAccountV2 implements MemoryAccount {
  readonly #group: string
  readonly #files: { readonly current: GroupFile; readonly peak: GroupFile; readonly events: GroupFile }

  constructor(group: string) {
    this.#group = group
    // All of a jail is ended, or nothing of it.
    writeGroupFile(group, 'memory.oom.group', 1)
    // No such file where the kernel does not account for swap.
    tryGroupFile(group, 'memory.swap.max', 0)
    this.#files = {
      current: new GroupFile(group, 'memory.current', 'r'),
      // A write begins a new count for this descriptor alone, from Linux 6.12 on; before, only root may open it to write.
      peak: new GroupFile(group, 'memory.peak', isWritable(join(group, 'memory.peak')) ? 'r+' : 'r'),
      events: new GroupFile(group, 'memory.events', 'r'),
    }
  }

  bound(bytes: number): void {
    writeGroupFile(this.#group, 'memory.max', bytes)
  }

  resetPeak(): boolean {
    return this.#files.peak.write('reset')
  }

  bytes(): number {
    return this.#files.current.number() ?? 0
  }

  peakBytes(): number {
    return this.#files.peak.number() ?? 0
  }

  oomKills(): number {
    return this.#files.events.field('oom_kill') ?? 0
  }

  boundHits(): number {
    return this.#files.events.field('max') ?? 0
  }

  close(): void {
    for (const file of Object.values(this.#files)) file.close()
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
