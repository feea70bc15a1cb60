import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openGroups, type GroupsState } from '../cgroup/open-groups.ts'
import { bunLayout, pythonLayout, type RuntimeLayout } from '../layout/runtime-layout.ts'
import { architectures } from '../profile/architecture.ts'
import { compileSeccomp } from '../profile/compile-seccomp.ts'
import { seccompProfile, type FilterName } from '../profile/seccomp-profile.ts'
import { kafelPolicy } from '../profile/to-kafel.ts'
import { toOciSeccomp } from '../profile/to-oci-seccomp.ts'
import type { ExecutorSettings } from '../protocol/executor-messages.ts'
import type { SandboxEngine } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'
import { dropPrivileges } from './drop-privileges.ts'
import { endOrphans } from './end-orphans.ts'
import { FreshJails, type JailSource } from './jail-source.ts'
import { chooseEngine } from './make-engine.ts'
import { processFacts } from './process-facts.ts'
import { stageFile } from './stage.ts'

/** What executions are made with. */
export interface Workshop {
  readonly engine: SandboxEngine
  readonly jails: JailSource
  /** What each runtime's jail shows of the host. */
  readonly layouts: Readonly<Record<Runtime, RuntimeLayout>>
  readonly version: string
  readonly finalFilters: Readonly<Record<Runtime, Uint8Array>>
  readonly seccompNumber: number
  readonly ownFilters: number
  readonly groups: GroupsState
  /** Hosted code of the self-test. */
  readonly probes: Readonly<Record<Runtime, Uint8Array>>
}

/** Runners are source in a checkout and compiled in a release; this file's own name tells which. */
const scriptExtension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/**
 * Makes ready what jails need, becomes unprivileged, and finds the engine, in this order: the first may need root, and
 * the last must not have it.
 * @throws Error with what is missing and what to type
 */
export async function prepare(settings: ExecutorSettings): Promise<Workshop> {
  const architecture = architectures.get(process.arch)
  if (architecture === undefined)
    throw new Error(`there is no system-call filter for ${process.arch}; x64 and arm64 have one`)
  const names = new Set([...architectures.values()].flatMap((each) => [...each.numbers.keys()]))
  const filter = (name: FilterName): Uint8Array => compileSeccomp(seccompProfile, name, architecture, names)
  const finalFilters = { python: filter('python'), typescript: filter('bun') }

  const files = await filesForJails(settings)
  const probes = {
    python: await readFile(runnerPath('self-test-probe.py')),
    typescript: await readFile(runnerPath(`self-test-probe${scriptExtension}`)),
  }
  const groups = openGroups(settings)
  dropPrivileges(settings.executorUid, settings.executorGid)
  endOrphans(settings.bubblewrapPath)

  const layouts = {
    python: await pythonLayout(settings.pythonPath, files.pythonRunner, settings.pythonPackagesDirectory),
    typescript: await bunLayout(files.bun, files.typescriptRunner),
  }
  const { version, choice } = await chooseEngine(settings)
  const startPolicy = kafelPolicy(seccompProfile, 'start', architecture, names)
  const startSeccomp = toOciSeccomp(seccompProfile, 'start', architecture, names, 'default')
  const startFilter = filter('start')
  const engine = await choice.make({ settings, layouts, startFilter, startPolicy, startSeccomp, finalFilters })
  const seccompNumber = architecture.numbers.get('seccomp') ?? 0
  const ownFilters = processFacts('self')?.seccompFilters ?? 0
  const jails = new FreshJails(engine, { finalFilters, seccompNumber, ownFilters, groups: groups.pool })
  return { engine, groups, jails, layouts, version, finalFilters, seccompNumber, ownFilters, probes }
}

function runnerPath(name: string): string {
  return fileURLToPath(new URL(`../runner/${name}`, import.meta.url))
}

async function filesForJails(
  settings: ExecutorSettings,
): Promise<{ pythonRunner: string; typescriptRunner: string; bun: string }> {
  const pythonRunner = runnerPath('python-runner.py')
  const typescriptRunner = runnerPath(`typescript-runner${scriptExtension}`)
  const bun = settings.bunPath
  if (process.getuid?.() !== 0) return { pythonRunner, typescriptRunner, bun }
  const readable = 0o444
  const executable = 0o555
  return {
    pythonRunner: await stageFile(pythonRunner, settings.stagingDirectory, 'python-runner.py', readable),
    typescriptRunner: await stageFile(
      typescriptRunner,
      settings.stagingDirectory,
      `typescript-runner${scriptExtension}`,
      readable,
    ),
    bun: await stageFile(bun, settings.stagingDirectory, 'bun', executable),
  }
}
