import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Test files that take five seconds and more, the longest first. One that is begun last is waited for while the other
 * processors have nothing to do. A file that is missing here costs time, nothing else.
 */
const longest = [
  'attacks/sandbox/lost-processes',
  'integration/sandbox-lifecycle',
  'integration/containment',
  'integration/containment-control',
  'integration/policy-replay-same',
  'integration/auth-people-roles',
  'integration/sandbox-calls',
  'integration/exporters',
  'integration/connect',
  'attacks/sandbox/faults',
  'attacks/sandbox/shared-kernel',
  'attacks/sandbox/limits-cgroup',
  'contract/record-keeping',
  'attacks/auth/guesses-and-floods',
  'attacks/app-stolen-port',
  'integration/audit-replay',
  'integration/sandbox-node',
  'integration/sandbox-bench',
  'integration/audit-crash',
  'integration/policy-replay',
  'attacks/sandbox/system-calls',
  'attacks/sandbox/socket',
  'attacks/sandbox/limits',
  'scripts/check/canaries',
  'policy/decide-request.property',
  'integration/sandbox-packages',
]

/**
 * Runs these test files before all others of their kind. Kinds stay together, in the order of their names: a process that
 * runs many files is ended where the next one is of another kind, and what it had loaded is loaded anew.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(specs: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return found === -1 ? longest.length : found
    }
    const sorted = await super.sort(specs)
    const kinds = [...new Set(sorted.map(({ project }) => project))]
    return kinds.flatMap((kind) =>
      sorted.filter(({ project }) => project === kind).toSorted((one, other) => rank(one) - rank(other)),
    )
  }
}
