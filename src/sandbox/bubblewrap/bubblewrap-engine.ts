import { McpworksError, digestJson, sha256, type Digest } from '../../kernel/index.ts'
import { tryJail } from '../deployment/try-jail.ts'
import { runTool } from '../executor/run-tool.ts'
import type { EngineProbe, Jail, JailOrder } from '../sandbox-engine.ts'
import type { OuterEngine } from '../zygote/outer-engine.ts'
import type { OuterJail } from '../launcher/launcher.ts'
import type { Runtime } from '../sandbox.ts'
import { jailArguments, jailDescriptors, outerJailArguments } from './jail-arguments.ts'
import { startJailProcess } from './jail-process.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'

/** The filters that an engine itself loads: under which a runtime is started, and under which a zygote works. */
export interface EngineFilters {
  readonly start: Uint8Array
  readonly zygote: Uint8Array
}

const leastVersion = [0, 8] as const

/** The engine of every distribution: bubblewrap, no privilege, a new jail for each execution. */
export class BubblewrapEngine implements OuterEngine {
  readonly name = 'bubblewrap'
  readonly kernel = 'host'
  readonly #path: string
  readonly #layouts: Readonly<Record<Runtime, RuntimeLayout>>
  readonly #startFilter: Uint8Array
  readonly #zygoteFilter: Uint8Array
  readonly #profiles: Readonly<Record<Runtime, { readonly name: string; readonly hash: Digest }>>

  /** `finalFilters` are those that the runners add; here they only count for the hash of the profile. */
  constructor(
    path: string,
    layouts: Readonly<Record<Runtime, RuntimeLayout>>,
    { start: startFilter, zygote: zygoteFilter }: EngineFilters,
    finalFilters: Readonly<Record<Runtime, Uint8Array>>,
  ) {
    this.#path = path
    this.#layouts = layouts
    this.#startFilter = startFilter
    this.#zygoteFilter = zygoteFilter
    const profile = (runtime: Runtime): { name: string; hash: Digest } => ({
      name: `bubblewrap-${runtime}`,
      hash: digestJson({
        arguments: jailArguments(layouts[runtime], { codeBytes: 0, scratchBytes: 0 }),
        filters: [sha256(startFilter), sha256(finalFilters[runtime])],
      }),
    })
    this.#profiles = { python: profile('python'), typescript: profile('typescript') }
  }

  async probe(): Promise<EngineProbe> {
    return await probeBubblewrap(this.#path)
  }

  start(order: JailOrder): Jail {
    return startJailProcess(this.#path, jailArguments(this.#layouts[order.runtime], order), this.#startFilter)
  }

  async close(): Promise<void> {}

  outerJail(layout: RuntimeLayout): OuterJail {
    return {
      program: this.#path,
      arguments: outerJailArguments(layout),
      files: { [jailDescriptors.filter]: this.#zygoteFilter },
    }
  }

  profile(runtime: Runtime): { readonly name: string; readonly hash: Digest } {
    return this.#profiles[runtime]
  }
}

/** Whether a bubblewrap of a sufficient version is there and may make namespaces. */
export async function probeBubblewrap(path: string): Promise<EngineProbe> {
  let version: string
  try {
    version = (await runTool(path, ['--version'])).trim().replace(/^bubblewrap /, '')
  } catch (error) {
    return {
      ok: false,
      reason: `${path} cannot be run: ${reasonOf(error)}`,
      remedy: 'apt-get install bubblewrap, or set sandbox.bubblewrapPath to where it is',
    }
  }
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < leastVersion[0] || (major === leastVersion[0] && minor < leastVersion[1])) {
    return {
      ok: false,
      reason: `bubblewrap ${version} is older than ${leastVersion.join('.')}`,
      remedy: 'apt-get install bubblewrap',
    }
  }
  const failure = await tryJail(path)
  if (failure !== null) return { ok: false, ...failure }
  return { ok: true, version }
}

function reasonOf(error: unknown): string {
  if (error instanceof McpworksError) throw error
  return error instanceof Error ? error.message : String(error)
}
