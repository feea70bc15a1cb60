import { DifferenceGroups, type Difference, type Differences, type Ground } from './difference-groups.ts'
import type { DecidedAbout, Unreplayable } from './recorded-decision.ts'

/** Calls that are named for each reason why decisions could not be decided again. */
const maxExamples = 5

/** What a replay found. Holds no argument of any call. */
export interface ReplayReport {
  /** Decisions looked at, replayed or not. */
  readonly decisions: number
  readonly replayed: number
  readonly unchanged: number
  readonly newlyAllowed: Differences
  readonly newlyDenied: Differences
  readonly newlyVisible: Differences
  readonly otherReasons: Differences
  /** Decisions of the very set that is tried, about tools of the same type: they must come out as they did. */
  readonly sameQuestion: number
  /** Those of them that do not. There must be none. */
  readonly mismatches: Differences
  readonly notReplayed: readonly {
    readonly why: Unreplayable
    readonly sentence: string
    readonly count: number
    readonly examples: readonly string[]
  }[]
  /** Tools whose definition is another one than when they were called, with the number of calls that were replayed. */
  readonly changedTools: readonly { readonly tool: string; readonly count: number }[]
  /** Calls for which facts were derived anew from the recorded arguments, because the policies that are tried bind some. */
  readonly factsDerived: number
  /** Time of the oldest decision that was looked at, ISO 8601; `null` where there was none. */
  readonly oldest: string | null
  /** False where there are more decisions since then than were looked at: too many, or it took four minutes, or it was stopped. */
  readonly complete: boolean
}

const sentences: { readonly [Why in Unreplayable]: string } = {
  hidden: 'answered as unknown, and would be again, or there is no such tool',
  unknown: 'answered as unknown: the arguments were not kept, and only tools and agents can be looked up again',
  'invalid-arguments': 'the arguments broke the input schema, so that policy was not asked',
  'not-policy': 'refused whatever policy says (calls of code that may not be made, limits)',
  'bodies-not-kept':
    'the arguments were not kept: the level of the namespace or of a policy was metadata, or they were deleted since',
  redacted:
    'secrets were taken out of the arguments before they were stored, so that they are not those that were decided on',
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
    newlyAllowed: new DifferenceGroups(),
    newlyDenied: new DifferenceGroups(),
    newlyVisible: new DifferenceGroups(),
    otherReasons: new DifferenceGroups(),
    mismatches: new DifferenceGroups(),
  }
  readonly #notReplayed = new Map<Unreplayable, { count: number; readonly examples: string[] }>()
  readonly #changedTools = new Map<string, number>()
  #decisions = 0
  #replayed = 0
  #unchanged = 0
  #factsDerived = 0
  #sameQuestion = 0
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
  add(about: DecidedAbout, difference: Difference | 'mismatches' | null, before: Ground, after: Ground): void {
    this.#replayed += 1
    if (difference === null) this.#unchanged += 1
    else {
      const { call, timeMs, principal, target } = about
      this.#kinds[difference].add({ call, time: isoTime(timeMs), principal, target }, before, after)
    }
  }

  /** The call was replayed against another definition of its tool. */
  changedTool(tool: string): void {
    this.#changedTools.set(tool, (this.#changedTools.get(tool) ?? 0) + 1)
  }

  /** The decision depends on nothing that changed. */
  sameQuestion(): void {
    this.#sameQuestion += 1
  }

  /** Facts were derived for the call. */
  factsDerived(): void {
    this.#factsDerived += 1
  }

  report(complete: boolean): ReplayReport {
    const { newlyAllowed, newlyDenied, newlyVisible, otherReasons, mismatches } = this.#kinds
    return {
      decisions: this.#decisions,
      replayed: this.#replayed,
      unchanged: this.#unchanged,
      newlyAllowed: newlyAllowed.all(),
      newlyDenied: newlyDenied.all(),
      newlyVisible: newlyVisible.all(),
      otherReasons: otherReasons.all(),
      sameQuestion: this.#sameQuestion,
      mismatches: mismatches.all(),
      notReplayed: [...this.#notReplayed]
        .map(([why, { count, examples }]) => ({ why, sentence: sentences[why], count, examples }))
        .sort((left, right) => right.count - left.count),
      changedTools: [...this.#changedTools]
        .map(([tool, count]) => ({ tool, count }))
        .sort((left, right) => (left.tool < right.tool ? -1 : 1)),
      factsDerived: this.#factsDerived,
      oldest: this.#oldestMs === null ? null : isoTime(this.#oldestMs),
      complete,
    }
  }
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
