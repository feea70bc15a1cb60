import type { GroupUsage } from '../cgroup/group-slot.ts'
import type { RunnerMessage } from '../protocol/runner-messages.ts'
import type { JailEnd } from '../sandbox-engine.ts'
import type { LimitName, SandboxFacts, SandboxLimits, SandboxOutcome } from '../sandbox.ts'
import { limitSentence } from './limit-sentence.ts'

type WithoutFacts<Outcome> = Outcome extends unknown ? Omit<Outcome, keyof SandboxFacts> : never
/** How an execution ends, before what was measured is added. */
export type Verdict = WithoutFacts<SandboxOutcome>

/** Exit codes of a shell's convention: 128 and the signal. */
export const diedBy = { kill: 128 + 9, badSystemCall: 128 + 31, first: 129, last: 128 + 64 } as const

/** What an execution had used when its process ended. */
export interface UsedAtEnd {
  readonly cpuMs: number
  /** The most memory of its own, without what belongs to files. */
  readonly ownBytes: number
  /** What the kernel counted of the jail's group; `null` where it has none. */
  readonly group: Pick<GroupUsage, 'oomKills' | 'isAtBound'> | null
}

/** What a runner says of the function's end; its texts are made such that every JSON writer takes them. */
export function verdictOf(message: Extract<RunnerMessage, { status: 'exception' | 'invalid' }>): Verdict {
  if (message.status === 'invalid') return { status: 'invalid', message: message.message.toWellFormed() }
  const { kind, trace } = message
  return {
    status: 'exception',
    kind: kind.toWellFormed(),
    message: message.message.toWellFormed(),
    trace: trace.toWellFormed(),
  }
}

/** The process ended by itself, before any answer. */
export function verdictOfEnd(
  { exitCode }: JailEnd,
  limits: SandboxLimits,
  { cpuMs, ownBytes, group }: UsedAtEnd,
): Verdict {
  const limit = (name: LimitName): Verdict => ({ status: 'limit', limit: name, message: limitSentence(name, limits) })
  // Where the kernel ends a group as a whole, the process is in it that would tell of the exit.
  if ((exitCode === diedBy.kill || exitCode === null) && group !== null && group.oomKills > 0) {
    if (group.isAtBound) return limit('memory')
    const message =
      'The kernel ended the function because the machine, or the group that the server is in, ran out of memory.'
    return { status: 'killed', reason: 'signal', message }
  }
  if (exitCode === null) {
    return {
      status: 'killed',
      reason: 'signal',
      message: 'The jail was ended from outside, by nothing that this sandbox did.',
    }
  }
  if (exitCode === diedBy.badSystemCall) {
    return {
      status: 'killed',
      reason: 'filter',
      message: 'The function made a system call that ends it at once (SIGSYS).',
    }
  }
  // The kernel's own processor limit kills a while after the watch should have.
  if (exitCode === diedBy.kill && cpuMs >= limits.cpuMs * 0.9) return limit('cpu')
  if (exitCode >= diedBy.first && exitCode <= diedBy.last) {
    // A runtime that gets no more memory aborts or traps.
    if (ownBytes > limits.memoryBytes * 0.7) return limit('memory')
    return {
      status: 'killed',
      reason: 'signal',
      message: `The function's process was ended by signal ${String(exitCode - 128)}.`,
    }
  }
  return {
    status: 'exception',
    kind: 'ProcessExit',
    message: `The function ended its process with exit code ${String(exitCode)} instead of returning.`,
    trace: '',
  }
}
