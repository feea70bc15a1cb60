import { McpworksError } from '../../kernel/index.ts'
import { sandboxConfigSchema, type SandboxConfig } from '../config.ts'
import { startSandbox } from '../start-sandbox.ts'
import { checkContainment, containmentConcurrency } from './check-containment.ts'
import { groupOf, type ContainmentGroup, type ContainmentResult } from './containment-check.ts'
import { containmentList } from './containment-list.ts'

/** Engines that can be checked, the strongest that shares the kernel first. */
export const checkedEngines = ['nsjail', 'bubblewrap', 'crun', 'runc', 'runsc', 'kata'] as const
/** The name of an engine. */
export type CheckedEngine = (typeof checkedEngines)[number]

/** Engines whose jails have a kernel of their own. */
const guests: ReadonlySet<string> = new Set(['runsc', 'kata'])

/** What came of the list on one engine. */
export type EngineReport =
  | {
      readonly status: 'checked'
      readonly name: CheckedEngine
      readonly version: string
      readonly mode: SandboxConfig['mode']
      readonly checks: readonly ContainmentResult[]
    }
  /** It is not installed or cannot be used here. */
  | { readonly status: 'not there'; readonly name: CheckedEngine; readonly reason: string }
  /** It is there, and no sandbox could be started with it. */
  | { readonly status: 'failed'; readonly name: CheckedEngine; readonly reason: string }

/** What to check. */
export interface CheckOrder {
  readonly engine: CheckedEngine
  readonly mode: SandboxConfig['mode']
  /** `null`: all. */
  readonly group: ContainmentGroup | null
}

/**
 * Starts a sandbox of its own with one engine, runs the list on it, and ends it. Paths of programs, ids and the like are
 * those of the configuration; bounds and the number of places are the list's own, so that low ceilings do not fail it.
 */
export async function checkEngine(config: SandboxConfig, order: CheckOrder): Promise<EngineReport> {
  const { engine: name, mode, group } = order
  if (name === 'kata') return { status: 'not there', name, reason: 'not run here: it needs hardware virtualisation' }
  const defaults = sandboxConfigSchema.parse({})
  const settings = {
    ...config,
    engine: name,
    mode,
    concurrency: containmentConcurrency,
    queueLength: defaults.queueLength,
    ceilings: defaults.ceilings,
  }
  let sandbox
  try {
    sandbox = await startSandbox(settings)
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- the report says that nothing was checked
  } catch (error) {
    if (!(error instanceof McpworksError)) throw error
    const reason = error.message.replace(/^No sandbox, so nothing is run: /, '')
    const isAbsent = reason === '' || reason.startsWith(`${name} cannot be used: `)
    return { status: isAbsent ? 'not there' : 'failed', name, reason: reason.replace(`${name} cannot be used: `, '') }
  }
  try {
    const { version, cgroups } = sandbox.describe()
    const list = containmentList(process.arch).filter(({ id }) => group === null || groupOf(id) === group)
    const kernel = guests.has(name) ? 'guest' : 'host'
    const setting = { engine: name, mode, kernel, noCgroups: cgroups.inUse ? null : cgroups.reason } as const
    return { status: 'checked', name, version, mode, checks: await checkContainment(sandbox, list, setting) }
  } finally {
    await sandbox.close()
  }
}
