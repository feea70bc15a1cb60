import { execFile } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ContainmentResult } from '../../src/sandbox/containment/containment-check.ts'
import { containmentList } from '../../src/sandbox/containment/containment-list.ts'
import type { EngineSetting } from '../../src/sandbox/containment/expected-exceptions.ts'
import { judge } from '../../src/sandbox/containment/judge.ts'
import { lookAtJail } from '../../src/sandbox/containment/look-at-jail.ts'

/** Checks that no loosened jail here could turn open, by the reason. */
const neverOpen: Readonly<Record<string, readonly RegExp[]>> = {
  'the allowed twin of others: it is open where a jail is too strict': [
    /^files\.(?:scratch-writable|working-directory)$/,
    /^network\.socketpair-stream$/,
    /^system-calls\.(?:map-plain|getpid|map-executable\.typescript)$/,
    /^views\.wall-clock$/,
    /^proc\.own-memory-by-self\.typescript$/,
    /^limits\.next-call$/,
  ],
  'bubblewrap, of which the loosened jail is made, always does it': [
    /^files\.no-set-id-programs$/,
    /^files\.(?:scratch|code)-(?:set-id|devices)$/,
    /^capabilities\.own-(?:no-new-privileges|filter)\.typescript$/,
  ],
  'a mount point cannot be moved or removed, and a running program not be written, in any jail': [
    /^files\.(?:rename-root|rename-python-library)$/,
    /^files\.(?:write|truncate|unlink|replace|hard-link)-interpreter$/,
    /^files\.(?:own-program|bun-program)\.typescript$/,
  ],
  'the kernel refuses it, with the same error, to whoever has no privilege over the machine': [
    /^dev\.make-(?:character|block)-device$/,
    /^limits\.raise-/,
    /^network\.socket-inet-ping$/,
    /^system-calls\.(?:prctl-drop-no-new-privileges|prctl-strict-filter|prctl-tracer|poison-page|take-page-offline)$/,
    /^system-calls\.(?:map-huge-pages|execve)\.typescript$/,
    /^proc\.set-.*\.typescript$/,
    /^signals\.parent-of-server$/,
  ],
  'this machine, or its kernel, has nothing of the kind to show': [
    /^proc\..*\.typescript$/,
    /^capabilities\.(?:groups|host-groups)(?:\.typescript)?$/,
    /^files\.no-block-devices$/,
    /^network\.(?:name-lookup|no-routes|loopback-6)$/,
    /^signals\.terminal(?:\.typescript)?$/,
    /^limits\.(?:nice|real-time|oom-score|message-queues|locked-memory|core)$/,
    /^views\.(?:domain|login|pressure\.typescript)$/,
  ],
  'the product has no way to loosen it: the runner refuses first, or the executor counts by itself': [
    /^limits\.breach-(?:processes|wall-stopped|scratch-files|code-files|log)$/,
    /^files\.descriptors$/,
  ],
  'jails that share nothing but files could not have it in common: each execution has a process of its own': [
    /^siblings\.(?:code|environment)(?:-of-earlier)?$/,
    /^siblings\.(?:random|hash-seed|kernel-random)$/,
  ],
  'what is left of an executor is shown by the tests of its life': [/^limits\.no-(?:process|mount|cgroup|file)-left$/],
}

/** An executor that starts elsewhere ends jails that no executor holds, which it tells by this. */
const executorName = 'executor/main.ts'
const script = fileURLToPath(new URL('../support/loosened-containment.ts', import.meta.url))
const list = containmentList(process.arch)
const setting: EngineSetting = { engine: 'loosened', mode: 'fresh', kernel: 'host', noCgroups: null }

async function loosened(part: 'rest' | 'siblings'): Promise<ContainmentResult[]> {
  // In a session that this PID namespace can see: one that was begun outside of it has the number 0, as in a jail.
  const command = ['--wait', process.execPath, script, part, executorName]
  const { stdout } = await promisify(execFile)('/usr/bin/setsid', command, {
    env: {},
    cwd: '/',
    maxBuffer: 32 * 1024 * 1024,
  })
  return JSON.parse(stdout) as ContainmentResult[]
}

/** What the look from outside says of a process that is in no jail. */
function unjailed(pid: number): ContainmentResult[] {
  const secret = 'text in the memory of this process'
  const facts = new Map<string, string | number>()
  return (['python', 'typescript'] as const).flatMap((runtime) => {
    const answers = lookAtJail({ pid, siblingPid: pid, runtime, secretOfSibling: secret })
    return list
      .filter((check) => check.how === 'held' && answers.has(check.id))
      .map((check) => judge(check, answers.get(check.id), facts, setting))
  })
}

/** An answer of a probe, and not of a jail that could not be made or a look that failed. */
function isGenuine({ got }: ContainmentResult): boolean {
  return !/^(?:no answer|malformed|unavailable|invalid|unreadable|no such operation)/.test(got)
}

let results: ContainmentResult[]

beforeAll(async () => {
  const [rest, siblings] = await Promise.all([loosened('rest'), loosened('siblings')])
  // A file of the host wherever this checkout is.
  const file = openSync('/etc/passwd', 'r')
  results = [...rest, ...siblings, ...unjailed(process.pid), ...unjailed(1)]
  closeSync(file)
}, 180_000)

describe('the containment list', () => {
  test('finds every check open in a jail that contains nothing, but for those with a reason', () => {
    const open = new Set(results.filter((each) => each.verdict === 'open' && isGenuine(each)).map(({ id }) => id))
    const reasons = Object.values(neverOpen).flat()
    const unexplained = list.filter(({ id }) => !open.has(id) && !reasons.some((pattern) => pattern.test(id)))
    const got = new Map(results.map((each) => [each.id, `${each.verdict}: ${each.got.slice(0, 200)}`]))
    expect(unexplained.map(({ id }) => `${id} -> ${got.get(id) ?? 'not asked'}`)).toEqual([])
    expect(open.size).toBeGreaterThan(list.length * 0.85)
  })

  test('names no reason for a check that is not there', () => {
    const unused = Object.values(neverOpen)
      .flat()
      .filter((pattern) => !list.some(({ id }) => pattern.test(id)))
    expect(unused).toEqual([])
  })

  test('has 150 checks and more, each of them in words and with an answer that holds', () => {
    expect(list.length).toBeGreaterThan(150)
    expect(list.filter(({ attempt, expected }) => attempt.length < 5 || expected.length === 0)).toEqual([])
  })
})
