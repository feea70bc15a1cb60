/** Groups of one kind that are told apart; what comes after them is only counted. */
const maxGroups = 100
/** Calls that are named for each group. */
const maxExamples = 5

/**
 * How a decision comes out differently. `newlyVisible`: the caller was answered that there is no such thing, and would
 * be told of it; whether the call would be allowed is not known, because its arguments were not looked at.
 */
export const differenceKinds = ['newlyAllowed', 'newlyDenied', 'newlyVisible', 'otherReasons'] as const

/** One of them. */
export type Difference = (typeof differenceKinds)[number]

/** Grounds of an answer that there is no such thing, and of what is put in its place. */
export const hiddenGround: Ground = { basis: 'hidden', by: [] }
export const visibleGround: Ground = { basis: 'visible', by: [] }

/** What decided, for the report. */
export interface Ground {
  readonly basis: string
  /** Ids of the rules that decided; sentences where it was an error. */
  readonly by: readonly string[]
}

/** A call that stands for others. */
export interface DifferenceExample {
  readonly call: string
  /** ISO 8601. */
  readonly time: string
  readonly principal: string
  readonly target: string
}

/** Calls that changed in the same way. */
export interface DifferenceGroup {
  readonly before: Ground
  readonly after: Ground
  readonly count: number
  readonly examples: readonly DifferenceExample[]
}

/** Differences of one kind, the most frequent first. `more` counts those that are in none of the groups. */
export interface Differences {
  readonly count: number
  readonly groups: readonly DifferenceGroup[]
  readonly more: number
}

interface OpenGroup {
  readonly before: Ground
  readonly after: Ground
  count: number
  readonly examples: DifferenceExample[]
}

/** Gathers differences of one kind in memory that does not grow with their number. The first of a group are its examples. */
export class DifferenceGroups {
  readonly #groups = new Map<string, OpenGroup>()
  #count = 0
  #more = 0

  add(example: DifferenceExample, before: Ground, after: Ground): void {
    this.#count += 1
    const key = JSON.stringify([before.basis, before.by, after.basis, after.by])
    let group = this.#groups.get(key)
    if (group === undefined) {
      if (this.#groups.size >= maxGroups) {
        this.#more += 1
        return
      }
      group = { before, after, count: 0, examples: [] }
      this.#groups.set(key, group)
    }
    group.count += 1
    if (group.examples.length < maxExamples) group.examples.push(example)
  }

  all(): Differences {
    const groups = [...this.#groups.values()].sort((left, right) => right.count - left.count)
    return { count: this.#count, groups, more: this.#more }
  }
}
