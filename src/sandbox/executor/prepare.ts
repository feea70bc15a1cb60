import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { groupBounds } from '../cgroup/jail-group.ts'
import { openGroups, type GroupsState } from '../cgroup/open-groups.ts'
import {
  bunLayout,
  nodeLayout,
  pythonLayout,
  sealingLayout,
  zygoteLayout,
  type RuntimeLayout,
} from '../layout/runtime-layout.ts'
import { architectures } from '../profile/architecture.ts'
import { compileSeccomp } from '../profile/compile-seccomp.ts'
import { seccompProfile, type FilterName } from '../profile/seccomp-profile.ts'
import { kafelPolicy } from '../profile/to-kafel.ts'
import { toOciSeccomp } from '../profile/to-oci-seccomp.ts'
import type { ExecutorSettings } from '../protocol/executor-messages.ts'
import type { SandboxEngine } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'
import { isOuterEngine } from '../zygote/outer-engine.ts'
import { ZygoteEngine } from '../zygote/zygote-engine.ts'
import { dropPrivileges } from './drop-privileges.ts'
import { endOrphans } from './end-orphans.ts'
import { hasRoom } from './has-room.ts'
import { FreshJails, type JailSource } from './jail-source.ts'
import { threadCeiling } from './runner-setup.ts'
import { chooseEngine } from './make-engine.ts'
import { processFacts } from './process-facts.ts'
import { stageFile } from './stage.ts'
import { WarmJails } from './warm-jails.ts'

/** What executions are made with. */
export interface Workshop {
  readonly engine: SandboxEngine
  readonly jails: JailSource
  /** The same for executions that need a jail made anew: the engine itself, without zygotes, and no jail that waited. */
  readonly fresh: { readonly engine: SandboxEngine; readonly jails: JailSource }
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

const waitingJailIdleMs = 120_000

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
    typescript: await typescriptLayout(settings, files),
  }
  const { version, choice } = await chooseEngine(settings)
  const policy = (name: FilterName): string => kafelPolicy(seccompProfile, name, architecture, names)
  const policies = { start: policy('start'), zygote: policy('zygote') }
  const startSeccomp = toOciSeccomp(seccompProfile, 'start', architecture, names, 'default')
  const filters = { start: filter('start'), zygote: filter('zygote') }
  const outer = await choice.make({ settings, layouts, filters, policies, startSeccomp, finalFilters })
  if (outer.kernel === 'guest' && settings.cgroups === 'required') {
    await outer.close()
    throw new Error(`the jails of ${outer.name} get no cgroup; set sandbox.cgroups to auto, or choose another engine`)
  }
  const engine = await fastOrFresh(outer, { settings, layouts, files, finalFilters, groups })
  const seccompNumber = architecture.numbers.get('seccomp') ?? 0
  const ownFilters = processFacts('self')?.seccompFilters ?? 0
  const sealing = { finalFilters, seccompNumber, ownFilters, groups: groups.pool }
  const made = new FreshJails(engine, sealing)
  const fresh = { engine: outer, jails: engine === outer ? made : new FreshJails(outer, sealing) }
  const jails =
    settings.mode === 'fresh' || settings.waitingJails === 0
      ? made
      : new WarmJails(made, {
          most: settings.waitingJails,
          idleMs: waitingJailIdleMs,
          hasRoom,
          now: () => performance.now(),
        })
  return { engine, groups, jails, fresh, layouts, version, finalFilters, seccompNumber, ownFilters, probes }
}

/** Node cannot bind itself, so that another has to do it in the jail before, where no zygote does. */
async function typescriptLayout(settings: ExecutorSettings, files: JailFiles): Promise<RuntimeLayout> {
  if (settings.typescriptRuntime === 'bun') return await bunLayout(files.bun, files.typescriptRunner)
  const node = await nodeLayout(files.node, files.typescriptRunner)
  return sealingLayout(await pythonLayout(settings.pythonPath, files.pythonRunner, null), node, files.zygote)
}

/** The engine itself, or zygotes on top of it, where it can carry them and the configuration does not want fresh jails. */
async function fastOrFresh(
  engine: SandboxEngine,
  parts: {
    readonly settings: ExecutorSettings
    readonly layouts: Readonly<Record<Runtime, RuntimeLayout>>
    readonly files: JailFiles
    readonly groups: GroupsState
    readonly finalFilters: Readonly<Record<Runtime, Uint8Array>>
  },
): Promise<SandboxEngine> {
  const { settings, layouts, files, finalFilters, groups } = parts
  if (settings.mode === 'fresh' || !isOuterEngine(engine)) return engine
  return await ZygoteEngine.open({
    engine,
    layouts: {
      python: { outer: zygoteLayout(layouts.python, layouts.python, files.zygote), command: null },
      typescript: {
        // Only to make jails with: none of the packages for hosted Python.
        outer: zygoteLayout(
          await pythonLayout(settings.pythonPath, files.pythonRunner, null),
          layouts.typescript,
          files.zygote,
        ),
        command: [...(layouts.typescript.sealedCommand ?? layouts.typescript.command), '--sealed'],
      },
    },
    pythonPath: settings.pythonPath,
    launcherPath: files.launcher,
    preload: settings.pythonPreload,
    finalFilters,
    groups: groups.pool,
    groupBounds: (order) => groupBounds(order, threadCeiling(order.runtime, order.limits)),
    onLost: (why) => {
      process.stderr.write(`${why}\n`)
      process.exit(1)
    },
  })
}

function runnerPath(name: string): string {
  return fileURLToPath(new URL(`../runner/${name}`, import.meta.url))
}

/** What jails and the launcher read, where the executor's user can read it. */
interface JailFiles {
  readonly pythonRunner: string
  readonly typescriptRunner: string
  readonly zygote: string
  readonly launcher: string
  readonly bun: string
  readonly node: string
}

async function filesForJails(settings: ExecutorSettings): Promise<JailFiles> {
  const sources = {
    pythonRunner: runnerPath('python-runner.py'),
    typescriptRunner: runnerPath(`typescript-runner${scriptExtension}`),
    zygote: runnerPath('zygote.py'),
    launcher: fileURLToPath(new URL('../launcher/launcher.py', import.meta.url)),
    bun: settings.bunPath,
    node: settings.nodePath,
  }
  if (process.getuid?.() !== 0) return sources
  const [readable, executable] = [0o444, 0o555]
  const stage = async (path: string, name: string, mode: number): Promise<string> =>
    await stageFile(path, settings.stagingDirectory, name, mode)
  return {
    pythonRunner: await stage(sources.pythonRunner, 'python-runner.py', readable),
    typescriptRunner: await stage(sources.typescriptRunner, `typescript-runner${scriptExtension}`, readable),
    zygote: await stage(sources.zygote, 'zygote.py', readable),
    launcher: await stage(sources.launcher, 'launcher.py', readable),
    bun: await stage(sources.bun, 'bun', executable),
    node: settings.typescriptRuntime === 'node' ? await stage(sources.node, 'node', executable) : sources.node,
  }
}
