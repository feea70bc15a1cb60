import type { Config } from '../config/index.ts'
import { checkedEngines, checkEngine, type containmentGroups, type EngineReport } from '../sandbox/index.ts'

export type { EngineReport } from '../sandbox/index.ts'

/** What to check; `null` for every engine, the configured mode, all groups. */
export interface SandboxCheckOrder {
  readonly engines: readonly (typeof checkedEngines)[number][] | null
  readonly mode: Config['sandbox']['mode'] | null
  readonly group: (typeof containmentGroups)[number] | null
}

/**
 * Runs the containment list on each engine, one after the other, in sandboxes of its own: no server is needed, and none
 * is touched. Works as root and as a normal user.
 */
export async function checkSandbox(config: Config, order: SandboxCheckOrder): Promise<readonly EngineReport[]> {
  const reports: EngineReport[] = []
  const mode = order.mode ?? config.sandbox.mode
  for (const engine of order.engines ?? checkedEngines)
    reports.push(await checkEngine(config.sandbox, { engine, mode, group: order.group }))
  return reports
}
