import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { digestJson, sha256, type Digest } from '../../kernel/index.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import type { OciSeccomp } from '../profile/to-oci-seccomp.ts'
import type { EngineProbe, Jail, JailOrder, SandboxEngine } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'
import { bundleConfig, hasProcfs } from './bundle-config.ts'
import { openCell, type Cell } from './cell.ts'
import { findCellTools } from './find-tools.ts'
import { connectedPair } from './connected-pair.ts'
import { startContainer } from './jail-process.ts'
import type { OciRuntime } from './oci-runtime.ts'
import { findOciRuntime, probeOci } from './probe-oci.ts'
import { makeDeviceDirectory, makeRootSkeleton } from './root-skeleton.ts'

/** What an engine is made of. */
export interface OciParts {
  readonly layouts: Readonly<Record<Runtime, RuntimeLayout>>
  /** The filter that the runtime loads before it executes the runner. */
  readonly seccomp: OciSeccomp
  /** Those that the runners add; here they only count for the hash of the profile. */
  readonly finalFilters: Readonly<Record<Runtime, Uint8Array>>
}

const runtimes: readonly Runtime[] = ['python', 'typescript']

/** Jails made by a standard container runtime: a new bundle and container for each execution, all in one cell. */
export class OciEngine implements SandboxEngine {
  readonly name: string
  readonly kernel: 'host' | 'guest'
  readonly adds: readonly string[]
  readonly #runtime: OciRuntime
  readonly #path: string
  readonly #parts: OciParts
  readonly #cell: Cell
  readonly #profiles: Readonly<Record<Runtime, { readonly name: string; readonly hash: Digest }>>

  private constructor(runtime: OciRuntime, path: string, parts: OciParts, cell: Cell) {
    this.name = runtime.name
    this.kernel = runtime.kernel
    this.adds = runtime.adds
    this.#runtime = runtime
    this.#path = path
    this.#parts = parts
    this.#cell = cell
    const profile = (language: Runtime): { name: string; hash: Digest } => ({
      name: `${this.name}-${language}`,
      hash: digestJson({
        config: this.#config(language, { codeBytes: 0, scratchBytes: 0 }),
        options: [...runtime.options, ...runtime.runOptions],
        filter: sha256(parts.finalFilters[language]),
      }),
    })
    this.#profiles = { python: profile('python'), typescript: profile('typescript') }
  }

  /** Opens the cell that the jails are made in. `configured` as `findOciRuntime`. @throws Error where the system allows no such namespaces */
  static async open(runtime: OciRuntime, configured: string | null, parts: OciParts): Promise<OciEngine> {
    const path = findOciRuntime(runtime, configured)
    const { tools } = findCellTools()
    if (path === null || tools === null) throw new Error(`${runtime.name}, or what it is started with, is not there`)
    const cell = await openCell(tools, runtime.hidesCgroups)
    const base = cell.directoryFromHere
    for (const name of ['state', 'bundles']) mkdirSync(`${base}/${name}`, { mode: 0o700 })
    makeDeviceDirectory(`${base}/dev`)
    for (const language of runtimes) {
      const layout = parts.layouts[language]
      makeRootSkeleton(`${base}/${language}`, layout, hasProcfs(runtime, layout))
    }
    return new OciEngine(runtime, path, parts, cell)
  }

  async probe(): Promise<EngineProbe> {
    return await probeOci(this.#runtime, this.#path)
  }

  async start(order: JailOrder): Promise<Jail> {
    const id = randomUUID()
    const { directory, directoryFromHere } = this.#cell
    const bundle = `/bundles/${id}`
    mkdirSync(`${directoryFromHere}${bundle}`, { mode: 0o700 })
    writeFileSync(`${directoryFromHere}${bundle}/config.json`, JSON.stringify(this.#config(order.runtime, order)))
    const runtime = this.#runtime
    const [program, args] = this.#cell.command(this.#path, [
      ...runtime.options,
      '--root',
      `${directory}/state`,
      'run',
      ...runtime.runOptions,
      '--bundle',
      `${directory}${bundle}`,
      '--pid-file',
      `${directory}${bundle}/pid`,
      id,
    ])
    const stdin = runtime.channel === 0 ? await connectedPair(`${directoryFromHere}${bundle}/channel`) : null
    return startContainer({
      program,
      args,
      stdin: stdin === null ? null : { ours: stdin[0], theirs: stdin[1] },
      pidFile: `${directoryFromHere}${bundle}/pid`,
      // runsc keeps a lock beside the state, and leaves it where it is killed.
      directories: ['', `_sandbox:${id}.lock`, `_sandbox:${id}.state`]
        .map((suffix) => `${directoryFromHere}/state/${id}${suffix}`)
        .concat(`${directoryFromHere}${bundle}`),
    })
  }

  profile(runtime: Runtime): { readonly name: string; readonly hash: Digest } {
    return this.#profiles[runtime]
  }

  async close(): Promise<void> {
    await this.#cell.close()
  }

  #config(runtime: Runtime, order: Pick<JailOrder, 'codeBytes' | 'scratchBytes'>): object {
    const { directory } = this.#cell
    return bundleConfig({
      runtime: this.#runtime,
      layout: this.#parts.layouts[runtime],
      rootDirectory: `${directory}/${runtime}`,
      deviceDirectory: `${directory}/dev`,
      seccomp: this.#parts.seccomp,
      order,
    })
  }
}
