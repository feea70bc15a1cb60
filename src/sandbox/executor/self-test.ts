import { readFileSync, readlinkSync, statfsSync } from 'node:fs'
import type { Runtime, SandboxDescription, SandboxOutcome, SandboxSpec } from '../sandbox.ts'
import { unsealedKeeperReason, unsealedReason } from './check-sealed.ts'
import { subtreeName } from '../cgroup/hierarchies.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { jailProfile } from '../profile/jail-profile.ts'
import type { Workshop } from './prepare.ts'
import { processFacts, type ProcessFacts } from './process-facts.ts'
import { runSpec } from './run-spec.ts'

type Check = SandboxDescription['checks'][number]

/** What was seen of a jail from outside at the moment before it received its code. */
interface OutsideView {
  readonly facts: ProcessFacts | null
  /** Kinds of namespace that are shared with this process. */
  readonly sharedNamespaces: readonly string[]
  readonly interfaces: readonly string[]
  /** Whether it is in a group of this executor's for one jail. */
  readonly isInGroup: boolean
  /** Size of the scratch space as the watch sees it. */
  readonly scratchBytes: number
}

const mebibyte = 1024 * 1024
const namespaces = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'] as const
const limits: SandboxSpec['limits'] = {
  wallMs: 20_000,
  cpuMs: 20_000,
  memoryBytes: 512 * mebibyte,
  processes: 8,
  openFiles: 64,
  scratchBytes: mebibyte,
  resultBytes: 65_536,
  outputBytes: 4096,
  innerCalls: 0,
}

/**
 * Makes real jails, one for each runtime and one that must be killed, and compares what hosted code could do, and what
 * the kernel says of it, with what must be. Costs some 100 ms. A check that could not be made has failed.
 */
export async function selfTest(workshop: Workshop): Promise<readonly Check[]> {
  const results = await Promise.all([
    testRuntime(workshop, 'python'),
    testRuntime(workshop, 'typescript'),
    testKill(workshop),
  ])
  return results.flat()
}

async function testRuntime(workshop: Workshop, runtime: Runtime): Promise<Check[]> {
  let view: OutsideView | null = null
  const spec = specOf(runtime, workshop.probes[runtime])
  const outcome = await runSpec(workshop, spec, {}, (pid) => (view = look(pid, workshop.engine.kernel)))
  const paths = pathsIn(workshop.layouts[runtime], workshop.engine.adds ?? [])
  return [...judgeOutside(runtime, view, workshop), ...judgeInside(runtime, paths, outcome, workshop.engine.kernel)]
}

/** A call of the killed list ends the process, and is told as that. */
async function testKill(workshop: Workshop): Promise<Check[]> {
  const code = 'import ctypes\ndef main(_):\n  ctypes.CDLL(None).unshare(0x10000000)\n'
  const outcome = await runSpec(workshop, specOf('python', Buffer.from(code)), {})
  const got = outcome.status === 'killed' ? outcome.reason : outcome.status
  return [check('python.killed-call', 'filter', got)]
}

function specOf(runtime: Runtime, code: Uint8Array): SandboxSpec {
  const file = runtime === 'python' ? 'probe.py' : 'probe.ts'
  return {
    id: 'self-test',
    runtime,
    files: new Map([[file, code]]),
    entry: { file, name: 'main' },
    inputJson: '{}',
    limits,
  }
}

function look(pid: number, kernel: 'host' | 'guest'): OutsideView {
  const link = (who: string, kind: string): string => readlinkSync(`/proc/${who}/ns/${kind}`)
  const devices = readFileSync(`/proc/${String(pid)}/net/dev`, 'latin1')
    .split('\n')
    .slice(2)
  // The files of a guest are in its keeper's memory, and a keeper makes no cgroup namespace because it shows the guest none.
  const scratch = kernel === 'guest' ? { blocks: 0, bsize: 0 } : statfsSync(`/proc/${String(pid)}/root/tmp`)
  const kinds = kernel === 'guest' ? namespaces.filter((kind) => kind !== 'cgroup') : namespaces
  return {
    facts: processFacts(pid),
    sharedNamespaces: kinds.filter((kind) => link(String(pid), kind) === link('self', kind)),
    isInGroup: readFileSync(`/proc/${String(pid)}/cgroup`, 'latin1').includes(`/${subtreeName(process.pid)}/jail-`),
    scratchBytes: scratch.blocks * scratch.bsize,
    interfaces: devices.map((line) => line.split(':')[0]?.trim() ?? '').filter((name) => name !== ''),
  }
}

function judgeOutside(runtime: Runtime, view: OutsideView | null, { engine, ownFilters, groups }: Workshop): Check[] {
  const facts = view?.facts ?? null
  return [
    check(
      `${runtime}.host-ids`,
      'not 0',
      facts === null || facts.uids.concat(facts.gids).includes(0) ? 'not known, or 0' : 'not 0',
    ),
    ...(engine.kernel === 'guest'
      ? [check(`${runtime}.keeper`, 'sealed', unsealedKeeperReason(facts, ownFilters) ?? 'sealed')]
      : [
          check(
            `${runtime}.sealed`,
            'no capability, no_new_privs, two filters',
            unsealedReason(facts, ownFilters) ?? 'no capability, no_new_privs, two filters',
          ),
          check(`${runtime}.scratch-watched`, String(limits.scratchBytes), String(view?.scratchBytes ?? 'not known')),
        ]),
    check(
      `${runtime}.namespaces`,
      'none shared',
      view === null ? 'not known' : view.sharedNamespaces.join(' ') || 'none shared',
    ),
    ...(groups.pool === null || engine.kernel === 'guest'
      ? []
      : [check(`${runtime}.cgroup`, 'of its own', view?.isInGroup === true ? 'of its own' : 'not of its own')]),
    check(`${runtime}.network`, 'lo', view?.interfaces.join(' ') ?? 'not known'),
  ]
}

/** What must be in a jail, and nothing else: what its layout shows, devices, scratch space, and what the engine adds. */
function pathsIn(layout: RuntimeLayout, added: readonly string[]): readonly string[] {
  const shown = [...layout.binds.map(([, inside]) => inside), ...layout.links.map(([, path]) => path)]
  const own = [...jailProfile.devices, ...Object.keys(jailProfile.tmpfs), ...(layout.procfs === null ? [] : ['/proc'])]
  return [...shown, ...own, ...added]
}

/** Names in a directory of them, sorted, in a line. */
function listing(paths: readonly string[], directory: string): string {
  const inside = paths.filter((path) => path.startsWith(directory))
  const names = inside.map((path) => path.slice(directory.length).split('/')[0] ?? '')
  return [...new Set(names)].toSorted().join(' ')
}

function judgeInside(
  runtime: Runtime,
  paths: readonly string[],
  outcome: SandboxOutcome,
  kernel: 'host' | 'guest',
): Check[] {
  const got = new Map<string, unknown>()
  if (outcome.status === 'ok')
    for (const [name, value] of Object.entries(JSON.parse(outcome.resultJson) as object)) got.set(name, value)
  const python = runtime === 'python'
  const expected: [string, string][] = [
    ['root', listing(paths, '/')],
    ['devices', listing(paths, '/dev/')],
    ['environment', [...Object.keys(jailProfile.environment), 'PWD'].toSorted().join(' ')],
    ['write-root', 'EROFS'],
    ['write-usr', 'EROFS'],
    ['write-runner', 'EROFS'],
    ['write-scratch', 'done'],
    ['process', python ? 'EPERM' : 'refused'],
    ['exec', python ? 'EPERM' : 'refused'],
    ...(python ? ([['descriptors', '0 1 2 3']] satisfies [string, string][]) : []),
    // A guest has this setting of its own kernel.
    python ? ['socket', 'EACCES'] : ['write-core-pattern', kernel === 'guest' ? 'EACCES' : 'ENOENT'],
  ]
  const failure =
    outcome.status === 'ok' ? '' : ` (${outcome.status}: ${'message' in outcome ? outcome.message.slice(0, 300) : ''})`
  return expected.map(([name, value]) => check(`${runtime}.${name}`, value, text(got.get(name)) + failure))
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.join(' ')
  return typeof value === 'string' ? value : 'no answer'
}

function check(id: string, expected: string, got: string): Check {
  return { id, ok: expected === got, expected, got }
}
