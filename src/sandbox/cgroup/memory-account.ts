import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { groupField, groupNumber, tryGroupFile, writeGroupFile } from './group-files.ts'

/** The memory of one group, as one version of the kernel's interface tells it. */
export interface MemoryAccount {
  /** Memory and swap together. @throws what the kernel says, such as EBUSY for less than is in use */
  bound(bytes: number): void
  /** Begins a new peak. False where the kernel cannot. */
  resetPeak(): boolean
  bytes(): number
  /** Since `resetPeak`; of no meaning where that was false. */
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

  constructor(group: string) {
    this.#group = group
  }

  bound(bytes: number): void {
    // Together with swap it may never be less than without.
    tryGroupFile(this.#group, 'memory.memsw.limit_in_bytes', -1)
    writeGroupFile(this.#group, 'memory.limit_in_bytes', bytes)
    tryGroupFile(this.#group, 'memory.memsw.limit_in_bytes', bytes)
  }

  resetPeak(): boolean {
    return tryGroupFile(this.#group, 'memory.max_usage_in_bytes', 0)
  }

  bytes(): number {
    return groupNumber(this.#group, 'memory.usage_in_bytes') ?? 0
  }

  peakBytes(): number {
    return groupNumber(this.#group, 'memory.max_usage_in_bytes') ?? 0
  }

  oomKills(): number {
    return groupField(this.#group, 'memory.oom_control', 'oom_kill') ?? 0
  }

  boundHits(): number {
    const names = ['memory.failcnt', 'memory.memsw.failcnt']
    return names.reduce((sum, name) => sum + (groupNumber(this.#group, name) ?? 0), 0)
  }

  close(): void {}
}

/** Version 2 (Linux admin-guide/cgroup-v2, "Memory Interface Files"). */
export class MemoryAccountV2 implements MemoryAccount {
  readonly #group: string
  /** A write to it begins a new count for this descriptor alone, from Linux 6.12 on. */
  readonly #peak: number | null

  constructor(group: string) {
    this.#group = group
    // All of a jail is ended, or nothing of it.
    writeGroupFile(group, 'memory.oom.group', 1)
    // No such file where the kernel does not account for swap.
    tryGroupFile(group, 'memory.swap.max', 0)
    this.#peak = writable(join(group, 'memory.peak'))
  }

  bound(bytes: number): void {
    writeGroupFile(this.#group, 'memory.max', bytes)
  }

  resetPeak(): boolean {
    if (this.#peak === null) return false
    try {
      writeSync(this.#peak, 'reset')
      return true
    } catch {
      return false
    }
  }

  bytes(): number {
    return groupNumber(this.#group, 'memory.current') ?? 0
  }

  peakBytes(): number {
    if (this.#peak === null) return 0
    const text = Buffer.alloc(32)
    return Number(text.toString('latin1', 0, readSync(this.#peak, text, 0, text.length, 0)))
  }

  oomKills(): number {
    return groupField(this.#group, 'memory.events', 'oom_kill') ?? 0
  }

  boundHits(): number {
    return groupField(this.#group, 'memory.events', 'max') ?? 0
  }

  close(): void {
    if (this.#peak !== null) closeSync(this.#peak)
  }
}

function writable(path: string): number | null {
  try {
    return openSync(path, 'r+')
  } catch {
    return null
  }
}
