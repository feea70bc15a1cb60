import { digestJson, sha256, type Digest } from '../../kernel/index.ts'
import { runnerSetup } from '../executor/runner-setup.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import type { EngineProbe, Jail, JailOrder, SandboxEngine } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'
import { ConfigFiles } from './config-files.ts'
import { findNsjail, findSetpriv } from './find-program.ts'
import { runnerPlan, type JailPlan } from './jail-plan.ts'
import { nsjailConfig } from './nsjail-config.ts'
import { startNsjail, type NsjailPrograms } from './nsjail-process.ts'
import { probeNsjail } from './probe-nsjail.ts'
import { withSubmounts } from './submounts.ts'

/** The engine for those who have nsjail: no privilege, a new jail for each execution, its filter a kafel policy. */
export class NsjailEngine implements SandboxEngine {
  readonly name = 'nsjail'
  readonly kernel = 'host'
  readonly #programs: NsjailPrograms
  readonly #layouts: Readonly<Record<Runtime, RuntimeLayout>>
  readonly #startPolicy: string
  readonly #profiles: Readonly<Record<Runtime, { readonly name: string; readonly hash: Digest }>>
  readonly #files = new ConfigFiles()

  /**
   * `nsjailPath` is null where it is to be looked for. `finalFilters` are those that the runners add; here they only
   * count for the hash of the profile.
   * @throws Error where a program is missing, as `probeNsjail` would have said
   */
  constructor(
    nsjailPath: string | null,
    layouts: Readonly<Record<Runtime, RuntimeLayout>>,
    startPolicy: string,
    finalFilters: Readonly<Record<Runtime, Uint8Array>>,
  ) {
    const [nsjail, setpriv] = [findNsjail(nsjailPath), findSetpriv()]
    if (nsjail.path === null) throw new Error(nsjail.problem)
    if (setpriv.path === null) throw new Error(setpriv.problem)
    this.#programs = { nsjail: nsjail.path, setpriv: setpriv.path }
    this.#layouts = layouts
    this.#startPolicy = startPolicy
    const profile = (runtime: Runtime): { name: string; hash: Digest } => ({
      name: `nsjail-${runtime}`,
      hash: digestJson({
        configuration: nsjailConfig(runnerPlan(layouts[runtime], { codeBytes: 0, scratchBytes: 0 }, startPolicy)),
        filter: sha256(finalFilters[runtime]),
      }),
    })
    this.#profiles = { python: profile('python'), typescript: profile('typescript') }
  }

  async probe(): Promise<EngineProbe> {
    return await probeNsjail(this.#programs.nsjail)
  }

  start(order: JailOrder): Jail {
    return this.startPlan(this.planOf(order))
  }

  /** The plan of the jail that `start` would make, for one that differs from it in a few things. */
  planOf(order: JailOrder): JailPlan {
    const { runtime, limits } = order
    // The runner puts the same limits on itself; these hold before it does.
    return {
      ...runnerPlan(this.#layouts[runtime], order, this.#startPolicy),
      limits: runnerSetup(runtime, limits, 0, '').limits,
    }
  }

  /** Makes a jail by a plan. Its first process need not be a runner; its channel is the same descriptor. */
  startPlan(plan: JailPlan): Jail {
    const config = nsjailConfig({ ...plan, binds: withSubmounts(plan.binds) })
    return startNsjail(this.#programs, this.#files.descriptorOf(config))
  }

  profile(runtime: Runtime): { readonly name: string; readonly hash: Digest } {
    return this.#profiles[runtime]
  }

  async close(): Promise<void> {
    this.#files.close()
  }
}
