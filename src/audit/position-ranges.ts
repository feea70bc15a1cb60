/** Positions from the first to the second, both included. */
export type PositionRange = readonly [number, number]

/** A set of positions, kept as ranges. */
export class PositionRanges {
  /** Ascending, with at least one position between any two. */
  #ranges: [number, number][] = []
  #isMerged = true

  /** Adds positions, in any order; those that ascend cost least. */
  add(from: number, to = from): void {
    const last = this.#ranges.at(-1)
    if (last !== undefined && from >= last[0] && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else {
      if (last !== undefined && from < last[0]) this.#isMerged = false
      this.#ranges.push([from, to])
    }
  }

  has(position: number): boolean {
    const ranges = this.#merged()
    let [low, high] = [0, ranges.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const [from, to] = ranges[middle] ?? [0, 0]
      if (position < from) high = middle
      else if (position > to) low = middle + 1
      else return true
    }
    return false
  }

  /** Whether any position from the first to the second, both included, is in it. */
  meets(from: number, to: number): boolean {
    return this.#merged().some(([first, last]) => first <= to && last >= from)
  }

  /** Those of its positions that are not in another set. */
  without(other: PositionRanges): PositionRange[] {
    const left: PositionRange[] = []
    const taken = other.#merged()
    let next = 0
    for (const [from, to] of this.#merged()) {
      let at = from
      while ((taken[next]?.[1] ?? to) < at) next += 1
      for (let place = next; at <= to; place += 1) {
        const [first, last] = taken[place] ?? [to + 1, to]
        if (first > at) left.push([at, Math.min(first - 1, to)])
        at = Math.max(at, last + 1)
      }
    }
    return left
  }

  get list(): readonly PositionRange[] {
    return this.#merged()
  }

  #merged(): [number, number][] {
    if (this.#isMerged) return this.#ranges
    const sorted = this.#ranges.toSorted((one, other) => one[0] - other[0])
    this.#ranges = []
    this.#isMerged = true
    for (const [from, to] of sorted) this.add(from, to)
    return this.#ranges
  }
}
