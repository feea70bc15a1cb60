import { Slots } from './slots.ts'

/** Inner executions at one depth get one place for each four at depth 0, and at least one. */
const innerShare = 4

/**
 * Places for executions by how many others wait for them. An execution that waits for one it caused holds its own place
 * and never the one that the other needs, so that they cannot wait for each other: those at the greatest depth cause no
 * more and end, and then so do those that wait for them.
 */
export class SlotsByDepth {
  readonly #places: number
  readonly #queueLength: number
  readonly #byDepth = new Map<number, Slots>()

  constructor(places: number, queueLength: number) {
    this.#places = places
    this.#queueLength = queueLength
  }

  at(depth: number): Slots {
    const known = this.#byDepth.get(depth)
    if (known !== undefined) return known
    const places = depth === 0 ? this.#places : Math.ceil(this.#places / innerShare)
    const slots = new Slots(places, this.#queueLength)
    this.#byDepth.set(depth, slots)
    return slots
  }
}
