import type { Architecture } from './architecture.ts'
import { callRules, errnoNumbers, firstProbedNumber, type CallRule } from './call-rules.ts'
import type { ErrnoName, FilterName, SeccompCondition, SeccompProfile, SeccompRule } from './seccomp-profile.ts'

/**
 * Calls from here up exist on no kernel. kafel has no ranges, so that every number below is listed by itself and the
 * default answers for all others.
 */
const endOfNumbers = 1024

const argumentNames = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const lowWord = 0xffffffff
const done = 'ERRNO(0)'

/**
 * One filter of the profile as a kafel policy, equal in effect to the BPF of `compileSeccomp` for every number below 1024.
 * Calls are written by number, because which names kafel knows depends on its version. kafel kills other architectures
 * by itself; of x32 it knows nothing, so where there is one the default is to kill, which from 1024 up is stricter than
 * the BPF's ENOSYS.
 * @throws Error as `callRules`, and where a number is beyond the list
 */
export function kafelPolicy(
  profile: SeccompProfile,
  filter: FilterName,
  architecture: Architecture,
  knownNames: ReadonlySet<string>,
): string {
  const rules = new Map<number, CallRule>()
  for (const [name, rule] of callRules(profile, filter, knownNames)) {
    const number = architecture.numbers.get(name)
    if (number === undefined) continue
    if (number >= endOfNumbers) throw new Error(`system call ${name} has a number beyond ${String(endOfNumbers)}`)
    rules.set(number, rule)
  }
  const blocks = new Map<string, string[]>()
  const put = (action: string, what: string): void => {
    const block = blocks.get(action)
    if (block === undefined) blocks.set(action, [what])
    else block.push(what)
  }
  // The first rule that matches counts: what depends on arguments is allowed here and refused by a later block.
  for (const [number, rule] of rules) {
    if (rule.answer !== 'by-arguments') continue
    const call = `${callName(number)}(${argumentNames.join(', ')})`
    put('ALLOW', `${call} { ${expression(rule.rule)} }`)
    if ('done' in rule.rule && rule.rule.done !== undefined) put(done, `${call} { ${allOf(rule.rule.done)} }`)
  }
  for (let number = 0; number < endOfNumbers; number += 1) put(actionOf(rules.get(number), number), callName(number))
  const body = [...blocks].map(([action, calls]) => `${action} {\n${calls.join(',\n')}\n}`).join(',\n')
  const otherwise = architecture.foreignBit === null ? errno('ENOSYS') : 'KILL_PROCESS'
  return `POLICY ${filter} {\n${body}\n}\nUSE ${filter}\nDEFAULT ${otherwise}\n`
}

function callName(number: number): string {
  return `SYSCALL[${String(number)}]`
}

function errno(name: ErrnoName): string {
  return `ERRNO(${String(errnoNumbers[name])})`
}

/** What a call gets whatever its arguments; where those are looked at, what it gets if they do not fit. */
function actionOf(rule: CallRule | undefined, number: number): string {
  switch (rule?.answer) {
    case undefined:
      return errno(number < firstProbedNumber ? 'EPERM' : 'ENOSYS')
    case 'allow':
      return 'ALLOW'
    case 'kill':
      return 'KILL_PROCESS'
    case 'done':
      return done
    case 'errno':
      return errno(rule.errno)
    case 'by-arguments':
      return errno(rule.rule.else)
  }
}

function expression(rule: SeccompRule): string {
  const alternatives = 'any' in rule ? rule.any : [rule.when]
  return alternatives.map(allOf).join(' || ')
}

function allOf(conditions: readonly SeccompCondition[]): string {
  return `(${conditions.map(comparison).join(' && ')})`
}

/** kafel compares all 64 bits of an argument; all but one of our conditions look at the low 32, as the kernel does. */
function comparison(condition: SeccompCondition): string {
  const argument = argumentNames[condition.arg]
  if (argument === undefined) throw new Error(`a system call has no argument ${String(condition.arg)}`)
  const masked = (mask: number): string => `(${argument} & ${String(mask >>> 0)})`
  switch (condition.op) {
    case 'in':
      return `(${condition.values.map((value) => `${masked(lowWord)} == ${String(value >>> 0)}`).join(' || ')})`
    case 'masked_eq':
      return `(${masked(condition.mask)} == ${String(condition.value >>> 0)})`
    case 'mask_clear':
      return `(${masked(condition.mask)} == 0)`
    case 'zero64':
      return `(${argument} == 0)`
  }
}
