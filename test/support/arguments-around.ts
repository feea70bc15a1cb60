import type { SeccompCondition, SeccompRule } from '../../src/sandbox/profile/seccomp-profile.ts'

const allOnes = (1n << 64n) - 1n

/** Values at and beside everything that a condition looks at, in the low and in the high half. */
function boundaries(condition: SeccompCondition): bigint[] {
  const values = [0n, 1n, 1n << 32n, 1n << 63n, 0xffff_ffffn, allOnes]
  const named =
    condition.op === 'in'
      ? condition.values
      : condition.op === 'zero64'
        ? []
        : [condition.mask, ...(condition.op === 'masked_eq' ? [condition.value] : [])]
  for (const number of named) {
    const low = BigInt(number >>> 0)
    values.push(low, low + 1n, low - 1n, low ^ 0xffff_ffffn, low | (1n << 32n))
    for (let bit = 0n; bit < 32n; bit += 1n) values.push(low ^ (1n << bit))
  }
  return values.map((value) => BigInt.asUintN(64, value))
}

/** Arguments that fit one alternative of a rule. */
function fitting(conditions: readonly SeccompCondition[]): bigint[] {
  const args = [0n, 0n, 0n, 0n, 0n, 0n]
  for (const condition of conditions) {
    if (condition.op === 'in') args[condition.arg] = BigInt((condition.values[0] ?? 0) >>> 0)
    if (condition.op === 'masked_eq') args[condition.arg] = BigInt(condition.value >>> 0)
  }
  return args
}

/** Every boundary of every argument, from arguments that fit, from none and from all bits. */
export function argumentsAround(rule: SeccompRule): bigint[][] {
  const alternatives =
    'any' in rule ? rule.any : [rule.when, ...('done' in rule && rule.done !== undefined ? [rule.done] : [])]
  const starts = [...alternatives.map(fitting), [0n, 0n, 0n, 0n, 0n, 0n], Array.from({ length: 6 }, () => allOnes)]
  const conditions = alternatives.flat()
  const around = starts.flatMap((start) =>
    conditions.flatMap((condition) => boundaries(condition).map((value) => start.with(condition.arg, value))),
  )
  return [...starts, ...around]
}
