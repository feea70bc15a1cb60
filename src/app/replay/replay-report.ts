import type { RecordedDecision, Unreplayable } from './recorded-decision.ts'

/** Groups of one kind that are told apart; what comes after them is only counted. */
const maxGroups = 100
/** Calls that are named for each group. */
const maxExamples = 5

/** How a decision comes out differently. */
export type Difference = 'newlyAllowed' | 'newlyDenied' | 'otherReasons'

/** What decided, for the report. */
export interface Ground {
  readonly basis: string
  /** Ids of the rules that decided; sentences where it was an error. */
  readonly by: readonly string[]
}

/** A call that stands for others. */
export interface ReplayExample {
  readonly call: string
  readonly time: string
  readonly principal: string
  readonly target: string
}

/** Calls that changed in the same way. The newest are the examples. */
export interface ReplayGroup {
  readonly before: Ground
  readonly after: Ground
  readonly count: number
  readonly examples: readonly ReplayExample[]
}

/** Differences of one kind, the most frequent first. `more` counts those that were in none of the groups. */
export interface ReplayDifferences {
  readonly count: number
  readonly groups: readonly ReplayGroup[]
  readonly more: number
}

/** What a replay found. Holds no argument of any call. */
export interface ReplayReport {
  /** Decisions looked at, replayed or not. */
  readonly decisions: number
  readonly replayed: number
  readonly unchanged: number
  readonly newlyAllowed: ReplayDifferences
  readonly newlyDenied: ReplayDifferences
  readonly otherReasons: ReplayDifferences
  /** Decisions of the very set that was asked, about the same tool, that come out differently. There must be none. */
  readonly mismatches: ReplayDifferences
  readonly notReplayed: readonly {
    readonly why: Unreplayable
    readonly sentence: string
    readonly count: number
    readonly examples: readonly string[]
  }[]
  /** Tools whose definition is another one than when they were called, with the number of calls that were replayed. */
  readonly changedTools: readonly { readonly tool: string; readonly count: number }[]
  /** Time of the oldest decision that was looked at, ISO 8601; `null` where there was none. */
  readonly oldest: string | null
  /** Whether there were more decisions since then than may be looked at, or it was stopped. */
  readonly complete: boolean
}

const sentences: { readonly [Why in Unreplayable]: string } = {
  hidden: 'answered as unknown: policy was not asked about the arguments, and they were not kept',
  'invalid-arguments': 'the arguments broke the input schema, so that policy was not asked',
  'not-policy': 'refused whatever policy says (calls of code that may not be made, limits)',
  'bodies-not-kept': 'the arguments were not kept (gateway.auditLevel was metadata)',
  'body-too-large': 'the arguments were over gateway.maxAuditBodyBytes and were not kept',
  'bodies-closed': 'the arguments do not open: their key is gone, or they were changed',
  'not-judged': 'the arguments were such that the engine could not be asked',
  unreadable: 'the record or the recorded input is not of a form known here',
  'tool-gone': 'there is no such tool any more',
  'arguments-do-not-fit': 'the tool changed, and the arguments do not fit it any more',
}

/** Gathers a report in memory that does not grow with the number of decisions. */
export class ReplayTally {
  readonly #kinds = {
    newlyAllowed: new Groups(),
    newlyDenied: new Groups(),
    otherReasons: new Groups(),
    mismatches: new Groups(),
  }
  readonly #notReplayed = new Map<Unreplayable, { count: number; readonly examples: string[] }>()
  readonly #changedTools = new Map<string, number>()
  #decisions = 0
  #replayed = 0
  #unchanged = 0
  #oldestMs: number | null = null

  /** Decisions looked at so far. */
  get decisions(): number {
    return this.#decisions
  }

  look(timeMs: number): void {
    this.#decisions += 1
    this.#oldestMs = Math.min(this.#oldestMs ?? timeMs, timeMs)
  }

  skip(call: string, why: Unreplayable): void {
    const skipped = this.#notReplayed.get(why) ?? { count: 0, examples: [] }
    skipped.count += 1
    if (skipped.examples.length < maxExamples) skipped.examples.push(call)
    this.#notReplayed.set(why, skipped)
  }

  /** A decision that was asked again: unchanged where `difference` is `null`. */
  add(recorded: RecordedDecision, difference: Difference | 'mismatches' | null, before: Ground, after: Ground): void {
    this.#replayed += 1
    if (difference === null) this.#unchanged += 1
    else this.#kinds[difference].add(recorded, before, after)
  }

  /** The call was replayed against another definition of its tool. */
  changedTool(tool: string): void {
    this.#changedTools.set(tool, (this.#changedTools.get(tool) ?? 0) + 1)
  }

  report(complete: boolean): ReplayReport {
    const { newlyAllowed, newlyDenied, otherReasons, mismatches } = this.#kinds
    return {
      decisions: this.#decisions,
      replayed: this.#replayed,
      unchanged: this.#unchanged,
      newlyAllowed: newlyAllowed.all(),
      newlyDenied: newlyDenied.all(),
      otherReasons: otherReasons.all(),
      mismatches: mismatches.all(),
      notReplayed: [...this.#notReplayed]
        .map(([why, { count, examples }]) => ({ why, sentence: sentences[why], count, examples }))
        .sort((left, right) => right.count - left.count),
      changedTools: [...this.#changedTools]
        .map(([tool, count]) => ({ tool, count }))
        .sort((left, right) => (left.tool < right.tool ? -1 : 1)),
      oldest: this.#oldestMs === null ? null : isoTime(this.#oldestMs),
      complete,
    }
  }
}

interface OpenGroup {
  readonly before: Ground
  readonly after: Ground
  count: number
  readonly examples: ReplayExample[]
}

class Groups {
  readonly #groups = new Map<string, OpenGroup>()
  #count = 0
  #more = 0

  add({ call, timeMs, principal, target }: RecordedDecision, before: Ground, after: Ground): void {
    this.#count += 1
    const key = JSON.stringify([before, after])
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
    if (group.examples.length < maxExamples) group.examples.push({ call, time: isoTime(timeMs), principal, target })
  }

  all(): ReplayDifferences {
    const groups = [...this.#groups.values()].sort((left, right) => right.count - left.count)
    return { count: this.#count, groups, more: this.#more }
  }
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
