import type { SandboxLimits } from '../../sandbox.ts'
import type { ContainmentCheck, ExpectedAnswer, Probe } from '../containment-check.ts'

/** What most checks are: tried in one Python jail, and an engine's own kernel may answer differently. */
const usual = { how: 'inside', runtime: 'python', probe: null, limits: {}, ownKernel: true } as const

/** Tried by Python code, in one jail with others. */
export function inside(
  id: string,
  attempt: string,
  probe: Probe,
  ...expected: readonly ExpectedAnswer[]
): ContainmentCheck {
  return { ...usual, id, attempt, expected, probe }
}

/** Tried by Python code, where a wrong answer would be one of the host, so that no engine may give it. */
export function ofHost(
  id: string,
  attempt: string,
  probe: Probe,
  ...expected: readonly ExpectedAnswer[]
): ContainmentCheck {
  return { ...usual, id, attempt, expected, probe, ownKernel: false }
}

/** Tried by Python code in a jail of its own. */
export function alone(
  id: string,
  attempt: string,
  probe: Probe,
  expected: readonly ExpectedAnswer[],
  limits: Partial<SandboxLimits> = {},
): ContainmentCheck {
  return { ...usual, id, attempt, expected, probe, how: 'alone', limits }
}

/** Tried by TypeScript code on Bun. */
export function onBun(
  id: string,
  attempt: string,
  probe: Probe,
  ...expected: readonly ExpectedAnswer[]
): ContainmentCheck {
  return { ...usual, id: `${id}.typescript`, attempt: `on Bun: ${attempt}`, expected, probe, runtime: 'typescript' }
}

/** Tried by Python code while a sibling is held that has left its marks. */
export function beside(
  id: string,
  attempt: string,
  probe: Probe,
  ...expected: readonly ExpectedAnswer[]
): ContainmentCheck {
  return { ...usual, id, attempt, expected, probe, how: 'beside', ownKernel: false }
}

/** Looked at from outside, of a held jail of either runtime. */
export function held(
  id: string,
  attempt: string,
  runtime: ContainmentCheck['runtime'],
  ...expected: readonly ExpectedAnswer[]
): ContainmentCheck {
  const suffix = runtime === 'typescript' ? '.typescript' : ''
  return { ...usual, id: `${id}${suffix}`, attempt, expected, runtime, how: 'held', ownKernel: false }
}

/** Looked at from outside when the jails have ended. */
export function after(id: string, attempt: string, ...expected: readonly ExpectedAnswer[]): ContainmentCheck {
  return { ...usual, id, attempt, expected, how: 'after', ownKernel: false }
}

/** Every word of the answer is one of these. */
export function onlyOf(...words: readonly string[]): ExpectedAnswer {
  const any = words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
  return { pattern: new RegExp(`^(?:${any})(?: (?:${any}))*$`), text: `nothing but ${words.join(', ')}` }
}

/** Every one of these words is in the answer. */
export function allOf(...words: readonly string[]): ExpectedAnswer {
  const each = words.map((word) => `(?=.*(?:^| )${word}(?: |$))`).join('')
  return { pattern: new RegExp(`^${each}`), text: words.join(' and ') }
}

/** An answer by pattern. */
export function like(pattern: RegExp, text: string): ExpectedAnswer {
  return { pattern, text }
}

/** How a write to something read-only fails. */
export const readOnly = 'EROFS'
/** How a path that is not there answers. */
export const absent = 'ENOENT'
