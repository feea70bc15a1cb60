import type { Runtime, SandboxLimits } from '../sandbox.ts'

/** Parts of the list, in the order of the table. A check's group is the first word of its id. */
export const containmentGroups = [
  'files',
  'proc',
  'sys',
  'dev',
  'network',
  'system-calls',
  'capabilities',
  'namespaces',
  'signals',
  'limits',
  'siblings',
  'views',
] as const

/** One part of the list. */
export type ContainmentGroup = (typeof containmentGroups)[number]

/** What a probe does: the name of an operation and its arguments. `$name` stands for a fact of the host (`HostBaits`). */
export type Probe = readonly [operation: string, ...args: readonly ProbeArgument[]]

/** An argument of an operation. */
export type ProbeArgument = string | number

/**
 * An answer that is as it should be: the exact text, a pattern, or anything but a text; the last two with words for
 * people. `$name` in a text stands for a fact of the host.
 */
export type ExpectedAnswer =
  | string
  | { readonly pattern: RegExp; readonly text: string }
  | { readonly not: string; readonly text: string }

/** One thing that is tried against a jail, or looked at from outside, and the answers that show that the jail holds. */
export interface ContainmentCheck {
  /** The group, a dot, and what it is about. Checks made on TypeScript end in `.typescript`. */
  readonly id: string
  /** What is attempted, as a phrase. */
  readonly attempt: string
  readonly expected: readonly ExpectedAnswer[]
  /**
   * `inside`: hosted code tries it. `alone`: the same in a jail of its own, because it ends the process, takes much or
   * leaves something. `held`: looked at from outside while the jail is held. `beside`: tried in a jail while a sibling is
   * held. `after`: looked at from outside when jails have ended.
   */
  readonly how: 'inside' | 'alone' | 'held' | 'beside' | 'after'
  readonly runtime: Runtime
  /** For `inside`, `alone` and `beside`; the others are known by their id. */
  readonly probe: Probe | null
  /** Limits of an `alone` check, where it has its own. */
  readonly limits: Partial<SandboxLimits>
  /**
   * Whether an unexpected answer of an engine with a kernel of its own concerns only that kernel, so that it is
   * `emulated` and not `open`. False where the answer comes from the host or from a sibling.
   */
  readonly ownKernel: boolean
}

/** What a check found. */
export type Verdict = 'held' | 'open' | 'emulated' | 'not applicable'

/** A check and what came of it on one engine. */
export interface ContainmentResult {
  readonly id: string
  readonly group: ContainmentGroup
  readonly attempt: string
  readonly expected: string
  readonly got: string
  readonly verdict: Verdict
  /** The verdict is the one that this engine is known for: held, emulated, not applicable, or a documented exception. */
  readonly ok: boolean
  /** The reason of an exception, of "not applicable", or what is wrong with an exception that no longer occurs. */
  readonly note: string
}

/** The group of an id. @throws Error where the id begins with no group */
export function groupOf(id: string): ContainmentGroup {
  const group = containmentGroups.find((each) => id.startsWith(`${each}.`))
  if (group === undefined) throw new Error(`${id} belongs to no group of containment checks`)
  return group
}
