import type { Config } from '../config/index.ts'
import { benchEngine, benchUnjailed, checkedEngines, checkEngine, type EngineBench } from '../sandbox/index.ts'

/** A row of the spectrum. `checks` is `null` where the containment list was not run. */
export type SpectrumRow = EngineBench & { readonly checks: { readonly passed: number; readonly of: number } | null }

/** What every engine costs on this machine. */
export interface Spectrum {
  /** Milliseconds of Python by itself, for comparison. */
  readonly unjailedPythonMs: number | null
  readonly rows: readonly SpectrumRow[]
}

/** What to measure; `null` for every engine. */
export interface SandboxBenchOrder {
  readonly engines: readonly (typeof checkedEngines)[number][] | null
  /** Runs the containment list on each engine as well, which takes minutes. */
  readonly withChecks: boolean
}

/** Engines that jails can be forked and kept waiting in. */
const fastEngines: ReadonlySet<string> = new Set(['nsjail', 'bubblewrap'])
const budgetMs = 700

/**
 * Measures each engine in each mode that it has, one after the other, in sandboxes of its own: no server is needed, and
 * none is touched. Takes about four seconds for each that is there.
 */
export async function benchSandbox(config: Config, order: SandboxBenchOrder): Promise<Spectrum> {
  const unjailedPythonMs = await benchUnjailed(config.sandbox)
  const rows: SpectrumRow[] = []
  for (const engine of order.engines ?? checkedEngines) {
    for (const mode of fastEngines.has(engine) ? (['fast', 'fresh'] as const) : (['fresh'] as const)) {
      const row = await benchEngine(config.sandbox, { engine, mode, budgetMs })
      const isCounted = order.withChecks && row.status === 'measured'
      rows.push({ ...row, checks: isCounted ? await countChecks(config, engine, mode) : null })
      if (row.status === 'not there') break
    }
  }
  return { unjailedPythonMs, rows }
}

async function countChecks(
  config: Config,
  engine: (typeof checkedEngines)[number],
  mode: 'fast' | 'fresh',
): Promise<SpectrumRow['checks']> {
  const report = await checkEngine(config.sandbox, { engine, mode, group: null })
  if (report.status !== 'checked') return null
  const asked = report.checks.filter(({ verdict }) => verdict !== 'not applicable')
  return { passed: asked.filter(({ verdict }) => verdict !== 'open').length, of: asked.length }
}
