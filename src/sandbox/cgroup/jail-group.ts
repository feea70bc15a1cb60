import type { JailOrder } from '../sandbox-engine.ts'
import type { Runtime, SandboxLimits } from '../sandbox.ts'
import type { ConfiningGroup } from './confining-group.ts'
import type { GroupPool } from './group-pool.ts'
import type { GroupBounds, GroupReading, GroupSlot, GroupUsage } from './group-slot.ts'

const mebibyte = 1024 * 1024

/**
 * Memory beyond what a function may have: the runtime's own, page tables and what else the kernel keeps for a process.
 * A function that does nothing leaves 1-6 MiB on its group's account here, because a runtime has most of its memory before
 * the process is moved; one that were born in the group would need about 12 MiB for Python and 45 MiB for Bun.
 */
const runtimeMemoryBytes: Readonly<Record<Runtime, number>> = { python: 16 * mebibyte, typescript: 64 * mebibyte }

/** Processes that an engine may need in the jail beside the runtime. */
const engineProcesses = 2

/**
 * The bounds of a jail's group. Files in a tmpfs are memory and count, so their full sizes are in it: what a function
 * does not use of them it can have as memory until the watch sees it. `threads` are all that the runtime may have.
 */
export function groupBounds(
  order: Pick<JailOrder, 'runtime' | 'codeBytes' | 'scratchBytes'> & {
    readonly limits: Pick<SandboxLimits, 'memoryBytes'>
  },
  threads: number,
): GroupBounds {
  const { runtime, codeBytes, scratchBytes, limits } = order
  return {
    memoryBytes: limits.memoryBytes + scratchBytes + codeBytes + runtimeMemoryBytes[runtime],
    processes: threads + engineProcesses,
  }
}

/** A group that a jail is born in: its parent is a long-lived process that was moved there once. */
export class BirthGroup implements ConfiningGroup {
  readonly #slot: GroupSlot
  #final: GroupUsage | null = null

  /** @throws what the kernel says where the bounds cannot be set */
  constructor(slot: GroupSlot, bounds: GroupBounds) {
    slot.begin(bounds)
    this.#slot = slot
  }

  async confine(): Promise<{ readonly ok: true }> {
    return await Promise.resolve({ ok: true })
  }

  usage(): GroupUsage {
    return this.#final ?? this.#slot.usage()
  }

  cpuMs(): number | null {
    return this.#final === null ? this.#slot.cpuMs() : this.#final.cpuMs
  }

  readBack(pid: number): GroupReading | null {
    return this.#final === null ? this.#slot.readBack(pid) : null
  }

  end(): void {
    this.#final ??= this.#slot.usage()
  }
}

/** The group of one jail, from the jail's start to its end. */
export class JailGroup implements ConfiningGroup {
  readonly #pool: GroupPool
  readonly #slot: GroupSlot
  #final: GroupUsage | null = null

  /** @throws what the kernel says where no group can be had */
  constructor(pool: GroupPool, bounds: GroupBounds) {
    this.#pool = pool
    this.#slot = pool.take(bounds)
  }

  /** Moves the jail's first process in, with all its threads. */
  async confine(pid: number): Promise<{ readonly ok: true } | { readonly ok: false; readonly why: string }> {
    try {
      await this.#slot.join(pid)
      return { ok: true }
    } catch (error) {
      return { ok: false, why: `its cgroup could not be entered: ${error instanceof Error ? error.message : ''}` }
    }
  }

  /** What the jail has used; after the end, what it used in all. */
  usage(): GroupUsage {
    return this.#final ?? this.#slot.usage()
  }

  /** Processor time so far, or in all; `null` where nothing counts it. */
  cpuMs(): number | null {
    return this.#final === null ? this.#slot.cpuMs() : this.#final.cpuMs
  }

  readBack(pid: number): GroupReading | null {
    return this.#final === null ? this.#slot.readBack(pid) : null
  }

  end(): void {
    if (this.#final !== null) return
    this.#final = this.#slot.usage()
    this.#pool.release(this.#slot)
  }
}
