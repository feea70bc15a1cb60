import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Test files that take five seconds and more, the longest first. One that is begun last is waited for while the other
 * processors have nothing to do. A file that is missing here costs time, nothing else.
 */
const longest = [
  'attacks/sandbox/lost-processes',
  'attacks/sandbox/faults',
  'integration/sandbox-lifecycle',
  'integration/containment',
  'integration/containment-control',
  'integration/oci',
  'integration/readme',
  'integration/audit-crash',
  'integration/sandbox-bench',
  'attacks/sandbox/limits-cgroup',
  'integration/sandbox-calls',
  'integration/sandbox-node',
  'attacks/sandbox/socket',
  'attacks/sandbox/limits',
  'attacks/app-stolen-port',
  'integration/sandbox-packages',
  'scripts/check/canaries',
  'attacks/sandbox/system-calls',
  'policy/decide-request.property',
]

/** Runs these test files before all others, whatever kind they are of. */
export class LongestFirst extends BaseSequencer {
  override async sort(specs: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return found === -1 ? longest.length : found
    }
    return (await super.sort(specs)).toSorted((one, other) => rank(one) - rank(other))
  }
}
