import type { ContainmentCheck, ContainmentResult, ExpectedAnswer, Verdict } from './containment-check.ts'
import { groupOf } from './containment-check.ts'
import { exceptionFor, type EngineSetting } from './expected-exceptions.ts'

/** Facts of the host that `$name` stands for. */
export type HostFacts = ReadonlyMap<string, string | number>

/** An answer, or why there can be none. */
export type Answer = string | { readonly notApplicable: string }

/** What a check found on one engine, and whether it is what is known of that engine. A check without an answer is open. */
export function judge(
  check: ContainmentCheck,
  answer: Answer | undefined,
  facts: HostFacts,
  setting: EngineSetting,
): ContainmentResult {
  const { id, attempt } = check
  const expected = check.expected.map((each) => wordsOf(each, facts)).join(', or ')
  const base = { id, group: groupOf(id), attempt, expected }
  if (typeof answer === 'object')
    return { ...base, got: 'not asked', verdict: 'not applicable', ok: true, note: answer.notApplicable }
  const got = answer ?? 'no answer'
  const verdict = verdictOf(check, got, facts, setting)
  return { ...base, got, verdict, ...standing(id, verdict, setting) }
}

function verdictOf(check: ContainmentCheck, got: string, facts: HostFacts, setting: EngineSetting): Verdict {
  if (check.expected.some((each) => isAsExpected(each, got, facts))) return 'held'
  return check.ownKernel && setting.kernel === 'guest' && isAnswer(got) ? 'emulated' : 'open'
}

/** An engine's own kernel has answered nothing where the jail or the probe failed. */
function isAnswer(got: string): boolean {
  return !/^(?:no answer|malformed|ended|exception|invalid|unavailable|limit|no such operation)/.test(got)
}

function standing(id: string, verdict: Verdict, setting: EngineSetting): { ok: boolean; note: string } {
  const exception = exceptionFor(id, setting)
  if (exception === undefined) return { ok: verdict !== 'open', note: '' }
  if (verdict === 'open') return { ok: true, note: `known exception: ${exception.reason}` }
  if (exception.mayHold) return { ok: true, note: '' }
  return { ok: false, note: `listed as an exception (${exception.reason}), which no longer occurs` }
}

function isAsExpected(expected: ExpectedAnswer, got: string, facts: HostFacts): boolean {
  if (typeof expected === 'string') return got === filledIn(expected, facts)
  if ('pattern' in expected) return expected.pattern.test(got)
  return isAnswer(got) && got !== filledIn(expected.not, facts)
}

function wordsOf(expected: ExpectedAnswer, facts: HostFacts): string {
  return typeof expected === 'string' ? filledIn(expected, facts) : expected.text
}

/** A text with facts of the host for its names. @throws Error for a name that is no fact */
function filledIn(text: string, facts: HostFacts): string {
  return text.replaceAll(/\$([a-zA-Z0-9]+)/g, (_, name: string) => {
    const fact = facts.get(name)
    if (fact === undefined) throw new Error(`no fact of the host is called ${name}`)
    return String(fact)
  })
}

/** The same for an argument, which stays a number where the fact is one. */
export function filledInArgument(value: string | number, facts: HostFacts): string | number {
  if (typeof value === 'number') return value
  const fact = value.startsWith('$') ? facts.get(value.slice(1)) : undefined
  return fact ?? filledIn(value, facts)
}
