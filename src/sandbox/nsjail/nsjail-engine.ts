import { digestJson, sha256, type Digest } from '../../kernel/index.ts'
import { runnerSetup } from '../executor/runner-setup.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import type { OuterJail } from '../launcher/launcher.ts'
import type { EngineProbe, Jail, JailOrder } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'
import type { OuterEngine } from '../zygote/outer-engine.ts'
import { ConfigFiles } from './config-files.ts'
import { findNsjail, findSetpriv } from './find-program.ts'
import { nsjailDescriptors, outerPlan, runnerPlan, type JailPlan } from './jail-plan.ts'
import { nsjailConfig } from './nsjail-config.ts'
import { nsjailArguments, startNsjail, type NsjailPrograms } from './nsjail-process.ts'
import { probeNsjail } from './probe-nsjail.ts'
import { withSubmounts } from './submounts.ts'

/** The filters that nsjail loads, as kafel policies: under which a runtime is started, and under which a zygote works. */
export interface EnginePolicies {
  readonly start: string
  readonly zygote: string
}

/** The engine for those who have nsjail: no privilege, a new jail for each execution, its filter a kafel policy. */
export class NsjailEngine implements OuterEngine {
  readonly name = 'nsjail'
  readonly kernel = 'host'
  readonly #programs: NsjailPrograms
  readonly #layouts: Readonly<Record<Runtime, RuntimeLayout>>
  readonly #policies: EnginePolicies
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
    policies: EnginePolicies,
    finalFilters: Readonly<Record<Runtime, Uint8Array>>,
  ) {
    const [nsjail, setpriv] = [findNsjail(nsjailPath), findSetpriv()]
    if (nsjail.path === null) throw new Error(nsjail.problem)
    if (setpriv.path === null) throw new Error(setpriv.problem)
    this.#programs = { nsjail: nsjail.path, setpriv: setpriv.path }
    this.#layouts = layouts
    this.#policies = policies
    const profile = (runtime: Runtime): { name: string; hash: Digest } => ({
      name: `nsjail-${runtime}`,
      hash: digestJson({
        configuration: nsjailConfig(runnerPlan(layouts[runtime], { codeBytes: 0, scratchBytes: 0 }, policies.start)),
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
      ...runnerPlan(this.#layouts[runtime], order, this.#policies.start),
      limits: runnerSetup(runtime, limits, 0, '').limits,
    }
  }

  outerJail(layout: RuntimeLayout): OuterJail {
    const plan = outerPlan(layout, this.#policies.zygote)
    const config = nsjailConfig({ ...plan, binds: withSubmounts(plan.binds) })
    return {
      program: this.#programs.nsjail,
      arguments: nsjailArguments,
      files: { [nsjailDescriptors.config]: Buffer.from(config) },
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
