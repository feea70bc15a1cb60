import type { Architecture } from './architecture.ts'
import { assemble, bpfCode, branch, instruction, type BpfProgram } from './bpf.ts'
import { callRules, errnoNumbers, firstProbedNumber, type CallRule } from './call-rules.ts'
import type { ErrnoName, FilterName, SeccompCondition, SeccompProfile, SeccompRule } from './seccomp-profile.ts'

/** Actions a filter returns (linux/seccomp.h). */
const returnAllow = 0x7fff0000
/** With error number 0 the call is answered as done. */
const returnErrno = 0x00050000
const returnKillProcess = 0x80000000

/** Offsets in `struct seccomp_data`. */
const offsetNumber = 0
const offsetArch = 4
const lowWordOffset = (arg: number): number => 16 + arg * 8

/**
 * Compiles one filter of the profile to classic BPF for `seccomp(2)`: kill for a foreign architecture or calling
 * convention, then a binary search over the call number, then the argument checks of that call.
 * Does not check that the list is a good one; the self-test and the attack tests do.
 * @throws Error as `callRules`
 */
export function compileSeccomp(
  profile: SeccompProfile,
  filter: FilterName,
  architecture: Architecture,
  knownNames: ReadonlySet<string>,
): Uint8Array {
  const numbered: Row[] = []
  for (const [name, rule] of callRules(profile, filter, knownNames)) {
    const number = architecture.numbers.get(name)
    if (number !== undefined) numbered.push({ from: number, program: compileCallRule(rule) })
  }
  const search = binarySearch(withGaps(numbered))
  const byNumber: BpfProgram = [
    instruction(bpfCode.load, offsetNumber),
    ...(architecture.foreignBit === null
      ? search
      : branch(bpfCode.jumpGreaterOrEqual, architecture.foreignBit, give(returnKillProcess), search)),
  ]
  return assemble([
    instruction(bpfCode.load, offsetArch),
    ...branch(bpfCode.jumpEqual, architecture.auditArch, byNumber, give(returnKillProcess)),
  ])
}

/** A run of call numbers from `from` up to the next row. */
interface Row {
  readonly from: number
  readonly program: BpfProgram
}

/** Puts the default between the numbers that have a rule. */
function withGaps(numbered: readonly Row[]): Row[] {
  const byNumber = new Map(numbered.map((row) => [row.from, row.program]))
  const starts = new Set([0, firstProbedNumber])
  for (const { from } of numbered) starts.add(from).add(from + 1)
  return [...starts]
    .toSorted((a, b) => a - b)
    .map((from) => ({ from, program: byNumber.get(from) ?? refuse(from < firstProbedNumber ? 'EPERM' : 'ENOSYS') }))
}

function binarySearch(rows: readonly Row[]): BpfProgram {
  const middle = rows.length >> 1
  const pivot = rows[middle]
  if (pivot === undefined) throw new Error('a filter needs at least one rule')
  if (rows.length === 1) return pivot.program
  return branch(
    bpfCode.jumpGreaterOrEqual,
    pivot.from,
    binarySearch(rows.slice(middle)),
    binarySearch(rows.slice(0, middle)),
  )
}

function give(action: number): BpfProgram {
  return [instruction(bpfCode.return, action)]
}

function refuse(errno: ErrnoName): BpfProgram {
  return give(returnErrno | errnoNumbers[errno])
}

function compileCallRule(rule: CallRule): BpfProgram {
  switch (rule.answer) {
    case 'allow':
      return give(returnAllow)
    case 'kill':
      return give(returnKillProcess)
    case 'done':
      return give(returnErrno)
    case 'errno':
      return refuse(rule.errno)
    case 'by-arguments':
      return compileRule(rule.rule)
  }
}

function compileRule(rule: SeccompRule): BpfProgram {
  const alternatives = 'any' in rule ? rule.any : [rule.when]
  return alternatives.reduceRight<BpfProgram>(
    (otherwise, conditions) => whereAll(conditions, give(returnAllow), otherwise),
    'done' in rule && rule.done !== undefined
      ? whereAll(rule.done, give(returnErrno), refuse(rule.else))
      : refuse(rule.else),
  )
}

function whereAll(conditions: readonly SeccompCondition[], then: BpfProgram, otherwise: BpfProgram): BpfProgram {
  return conditions.reduceRight<BpfProgram>((next, condition) => test(condition, next, otherwise), then)
}

function test(condition: SeccompCondition, yes: BpfProgram, no: BpfProgram): BpfProgram {
  const low = instruction(bpfCode.load, lowWordOffset(condition.arg))
  switch (condition.op) {
    case 'in':
      return [
        low,
        ...condition.values.reduceRight<BpfProgram>((rest, value) => branch(bpfCode.jumpEqual, value, yes, rest), no),
      ]
    case 'masked_eq':
      return [low, instruction(bpfCode.and, condition.mask), ...branch(bpfCode.jumpEqual, condition.value, yes, no)]
    case 'mask_clear':
      return [low, ...branch(bpfCode.jumpSet, condition.mask, no, yes)]
    case 'zero64': {
      const high = instruction(bpfCode.load, lowWordOffset(condition.arg) + 4)
      return [low, ...branch(bpfCode.jumpEqual, 0, [high, ...branch(bpfCode.jumpEqual, 0, yes, no)], no)]
    }
  }
}
