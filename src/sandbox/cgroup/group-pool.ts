import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { GroupSlot, type GroupBounds } from './group-slot.ts'
import type { GroupSubtree } from './group-subtree.ts'
import { removeGroups } from './remove-subtree.ts'

const longestPauseMs = 50
const patienceMs = 5000

/**
 * The groups of an executor's jails. They are used again, each only once it is empty: to make and to remove one costs more,
 * and a removed one stays in the kernel's memory for as long as anything is on its account.
 */
export class GroupPool {
  readonly #subtree: GroupSubtree
  readonly #mostFree: number
  readonly #free: GroupSlot[] = []
  readonly #releases = new Set<Promise<void>>()
  #made = 0

  /** Of those that are given back, `mostFree` are kept. */
  constructor(subtree: GroupSubtree, mostFree: number) {
    this.#subtree = subtree
    this.#mostFree = mostFree
  }

  /** An empty group with these bounds and counts from zero, to be given back with `release`. @throws what the kernel says */
  take(bounds: GroupBounds): GroupSlot {
    const slot = this.#free.pop() ?? this.#make()
    try {
      slot.begin(bounds)
      return slot
    } catch (error) {
      slot.close()
      slot.remove()
      throw error
    }
  }

  /**
   * Takes a group back when everything in it is gone; what is still there is killed. Does not wait for it. One that does
   * not become empty is not used again, and is killed once more at the end.
   */
  release(slot: GroupSlot): void {
    const done = this.#empty(slot).finally(() => this.#releases.delete(done))
    this.#releases.add(done)
  }

  /** Kills what is in any group and removes them all. */
  async close(): Promise<void> {
    await Promise.all(this.#releases)
    for (const slot of this.#free.splice(0)) slot.close()
    const names = Array.from({ length: this.#made }, (_, index) => groupName(index + 1))
    await removeGroups(this.#subtree.branches.flatMap(({ directory }) => names.map((name) => join(directory, name))))
  }

  #make(): GroupSlot {
    this.#made += 1
    return new GroupSlot(this.#subtree.branches, groupName(this.#made))
  }

  async #empty(slot: GroupSlot): Promise<void> {
    const end = performance.now() + patienceMs
    for (let delayMs = 1; !slot.isEmpty(); delayMs = Math.min(delayMs * 2, longestPauseMs)) {
      if (performance.now() > end) return slot.close()
      slot.kill()
      await pause(delayMs)
    }
    if (this.#free.length < this.#mostFree && slot.isClean()) this.#free.push(slot)
    else {
      slot.close()
      slot.remove()
    }
  }
}

function groupName(number: number): string {
  return `jail-${String(number)}`
}
