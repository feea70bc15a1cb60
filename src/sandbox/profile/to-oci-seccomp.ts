import type { Architecture } from './architecture.ts'
import { callRules, errnoNumbers, firstProbedNumber } from './call-rules.ts'
import type { ErrnoName, FilterName, SeccompCondition, SeccompProfile, SeccompRule } from './seccomp-profile.ts'
import unlistedCalls from './unlisted-calls.json' with { type: 'json' }

/** The comparisons of the OCI runtime specification that are used here. The second value of `MASKED_EQ` is what remains under the mask. */
export interface OciArgument {
  readonly index: number
  readonly value: number
  readonly valueTwo?: number
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE' | 'SCMP_CMP_MASKED_EQ'
}

/** One entry: the calls with these names, where all of the arguments fit, get the action. */
export interface OciSyscall {
  readonly names: readonly string[]
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO' | 'SCMP_ACT_KILL_PROCESS'
  readonly errnoRet?: number
  readonly args?: readonly OciArgument[]
}

/** `linux.seccomp` of a bundle's config.json. */
export interface OciSeccomp {
  readonly defaultAction: 'SCMP_ACT_ERRNO' | 'SCMP_ACT_ALLOW'
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly syscalls: readonly OciSyscall[]
}

/** Comparisons that must all hold: at most one for each argument, because runtimes read two of one argument as "either". */
type Conjunction = ReadonlyMap<number, Comparison>
/** `low`: the low 32 bits under a mask. `zero` and `nonzero` look at all 64. */
type Comparison =
  | { readonly of: 'low'; readonly mask: number; readonly value: number }
  | { readonly of: 'zero' | 'nonzero' }

const word = 0xffff_ffff
const architectureNames = { x86_64: 'SCMP_ARCH_X86_64', aarch64: 'SCMP_ARCH_AARCH64' } as const

/**
 * One filter of the profile as OCI seccomp JSON, in effect the same as `compileSeccomp`. What OCI cannot say is mapped so:
 * - Calls are names, so that "EPERM below 424, ENOSYS from there" cannot be the default. The default is ENOSYS, and every
 *   call below 424 that has a name and no rule is listed with EPERM. Numbers that no call has get ENOSYS here, as from the
 *   kernel, and EPERM there.
 * - A call with conditions has one default for all calls, not one of its own. With `refusals: 'exact'` what is refused is
 *   listed as well, as the complement: the gaps of a set as values under a mask, or one bit that differs. That makes some
 *   400 entries more, which a runtime compiles at every start (10 ms). With `default` such a call is refused all the same,
 *   but by ENOSYS; under the runner's own filter, which was added later, the error number is that one's in any case.
 * - Alternatives become entries of their own, and a set of values one entry for each, since two comparisons of one argument
 *   mean "either" to crun and runc.
 * - OCI compares 64 bits; a mask of 32 makes it look at the half that the kernel looks at. `zero64` is the whole comparison.
 * A call of a foreign architecture or of x32 ends the thread here (libseccomp decides that) and the process there.
 * @throws Error as `callRules`
 */
export function toOciSeccomp(
  profile: SeccompProfile,
  filter: FilterName,
  architecture: Architecture,
  knownNames: ReadonlySet<string>,
  refusals: 'exact' | 'default',
): OciSeccomp {
  const plain = new Map<string, string[]>()
  const byArguments: OciSyscall[] = []
  const list = (action: string, name: string): void => void plain.set(action, [...(plain.get(action) ?? []), name])
  for (const [name, rule] of callRules(profile, filter, knownNames)) {
    if (!architecture.numbers.has(name)) continue
    if (rule.answer === 'by-arguments') byArguments.push(...entriesOf(name, rule.rule, refusals === 'exact'))
    else list(rule.answer === 'errno' ? rule.errno : rule.answer, name)
  }
  for (const [name, number] of Object.entries<number>(unlistedCalls[architecture.name]))
    if (number < firstProbedNumber) list('EPERM', name)
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: errnoNumbers.ENOSYS,
    architectures: [architectureNames[architecture.name]],
    syscalls: [...[...plain].map(([action, names]) => plainEntry(action, names)), ...byArguments],
  }
}

function plainEntry(action: string, names: readonly string[]): OciSyscall {
  if (action === 'allow') return { names, action: 'SCMP_ACT_ALLOW' }
  if (action === 'kill') return { names, action: 'SCMP_ACT_KILL_PROCESS' }
  if (action === 'done') return { names, ...asDone }
  return refusal(names, action as ErrnoName)
}

function refusal(names: readonly string[], errno: ErrnoName): OciSyscall {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet: errnoNumbers[errno] }
}

function entriesOf(name: string, rule: SeccompRule, withRefusals: boolean): OciSyscall[] {
  const alternatives = 'any' in rule ? rule.any : [rule.when]
  const allowed = alternatives.flatMap((conditions) => conditions.map(whereTrue).reduce(bothOf, everything))
  const entries = allowed.map((each): OciSyscall => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    args: argumentsOf(each),
  }))
  const done = 'done' in rule ? (rule.done ?? null) : null
  if (done !== null) {
    const where = [...alternatives.map((conditions) => conditions.flatMap(whereFalse)), ...done.map(whereTrue)]
    const answered = where.reduce(bothOf, everything)
    entries.push(...answered.map((each): OciSyscall => ({ names: [name], ...asDone, args: argumentsOf(each) })))
  }
  if (!withRefusals) return entries
  const elsewhere = done === null ? alternatives : [...alternatives, done]
  const refused = elsewhere.map((conditions) => conditions.flatMap(whereFalse)).reduce(bothOf, everything)
  return [
    ...entries,
    ...refused.map((each): OciSyscall => ({ ...refusal([name], rule.else), args: argumentsOf(each) })),
  ]
}

const asDone = { action: 'SCMP_ACT_ERRNO', errnoRet: 0 } as const
const everything: readonly Conjunction[] = [new Map()]

/** Where one of the first and one of the second hold together. */
function bothOf(first: readonly Conjunction[], second: readonly Conjunction[]): Conjunction[] {
  return first.flatMap((one) => second.flatMap((other) => merge(one, other) ?? []))
}

/** `null` where the two exclude each other. @throws Error where OCI could not say it */
function merge(one: Conjunction, other: Conjunction): Conjunction | null {
  const merged = new Map(one)
  for (const [argument, comparison] of other) {
    const before = merged.get(argument)
    if (before === undefined) {
      merged.set(argument, comparison)
      continue
    }
    if (before.of !== 'low' || comparison.of !== 'low')
      throw new Error('seccomp.json compares one argument in two ways; OCI has no word for that')
    if (((before.value ^ comparison.value) & before.mask & comparison.mask) !== 0) return null
    merged.set(argument, low(before.mask | comparison.mask, before.value | comparison.value))
  }
  return merged
}

function low(mask: number, value: number): Comparison {
  return { of: 'low', mask: mask >>> 0, value: value >>> 0 }
}

function whereTrue(condition: SeccompCondition): Conjunction[] {
  const only = (comparison: Comparison): Conjunction => new Map([[condition.arg, comparison]])
  switch (condition.op) {
    case 'in':
      return condition.values.map((value) => only(low(word, value)))
    case 'masked_eq':
      return [only(low(condition.mask, condition.value))]
    case 'mask_clear':
      return [only(low(condition.mask, 0))]
    case 'zero64':
      return [only({ of: 'zero' })]
  }
}

function whereFalse(condition: SeccompCondition): Conjunction[] {
  const only = (comparison: Comparison): Conjunction => new Map([[condition.arg, comparison]])
  switch (condition.op) {
    case 'in':
      return gaps(new Set(condition.values.map((value) => value >>> 0)), 0, 0).map(only)
    case 'masked_eq':
      return bitsOf(condition.mask).map((bit) => only(low(bit, ~condition.value & bit)))
    case 'mask_clear':
      return bitsOf(condition.mask).map((bit) => only(low(bit, bit)))
    case 'zero64':
      return [only({ of: 'nonzero' })]
  }
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 32 }, (_, index) => (1 << index) >>> 0).filter((bit) => (mask & bit) !== 0)
}

/** The fewest aligned blocks that hold every 32-bit value but these: walks down the bits from the top, `depth` of them fixed to `prefix`. */
function gaps(values: ReadonlySet<number>, depth: number, prefix: number): Comparison[] {
  const mask = depth === 0 ? 0 : (word << (32 - depth)) >>> 0
  const inside = [...values].some((value) => ((value ^ prefix) & mask) === 0)
  if (!inside) return [low(mask, prefix)]
  if (depth === 32) return []
  const next = (1 << (31 - depth)) >>> 0
  return [...gaps(values, depth + 1, prefix), ...gaps(values, depth + 1, (prefix | next) >>> 0)]
}

function argumentsOf(conjunction: Conjunction): OciArgument[] {
  return [...conjunction].map(([index, comparison]) =>
    comparison.of === 'low'
      ? { index, value: comparison.mask, valueTwo: comparison.value, op: 'SCMP_CMP_MASKED_EQ' }
      : { index, value: 0, op: comparison.of === 'zero' ? 'SCMP_CMP_EQ' : 'SCMP_CMP_NE' },
  )
}
