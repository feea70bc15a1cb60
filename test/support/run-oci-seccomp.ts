import type { OciArgument, OciSeccomp, OciSyscall } from '../../src/sandbox/profile/to-oci-seccomp.ts'
import { nameOfAnswer } from './run-bpf.ts'

/**
 * Answers a system call as the OCI runtime specification says that its `linux.seccomp` does, on one architecture whose
 * calls are given by name. What the specification leaves to the runtime is refused: two comparisons of one argument in an
 * entry, and entries that fit one call and disagree.
 * @throws Error for what is not in the specification
 */
export function runOciSeccomp(
  seccomp: OciSeccomp,
  numbers: ReadonlyMap<string, number>,
): (number: number, args?: readonly bigint[]) => string {
  const byNumber = new Map<number, OciSyscall[]>()
  for (const entry of seccomp.syscalls) {
    const indexes = (entry.args ?? []).map(({ index }) => index)
    if (new Set(indexes).size !== indexes.length) throw new Error('one argument is compared twice')
    for (const name of entry.names) {
      const number = numbers.get(name)
      if (number !== undefined) byNumber.set(number, [...(byNumber.get(number) ?? []), entry])
    }
  }
  return (number, args = []) => {
    const fitting = (byNumber.get(number) ?? []).filter((entry) => (entry.args ?? []).every((each) => fits(each, args)))
    const answers = new Set(fitting.map(answerOf))
    if (answers.size > 1) throw new Error(`two entries for ${String(number)}: ${[...answers].join(' and ')}`)
    return [...answers][0] ?? nameOfAnswer(seccomp.defaultErrnoRet ?? Number.NaN)
  }
}

function fits({ index, op, value, valueTwo }: OciArgument, args: readonly bigint[]): boolean {
  const is = BigInt.asUintN(64, args[index] ?? 0n)
  switch (op) {
    case 'SCMP_CMP_EQ':
      return is === BigInt(value)
    case 'SCMP_CMP_NE':
      return is !== BigInt(value)
    case 'SCMP_CMP_MASKED_EQ':
      return (is & BigInt(value)) === BigInt(valueTwo ?? 0)
  }
}

function answerOf({ action, errnoRet }: OciSyscall): string {
  if (action === 'SCMP_ACT_ALLOW') return 'allow'
  if (action === 'SCMP_ACT_KILL_PROCESS') return 'kill'
  if (errnoRet === undefined) throw new Error('SCMP_ACT_ERRNO without a number means EPERM to some runtimes only')
  return nameOfAnswer(errnoRet)
}
