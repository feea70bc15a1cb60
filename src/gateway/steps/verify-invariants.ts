import type { OutcomeDraft } from '../../audit/index.ts'
import type { ForcedProfile } from '../../policy/index.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { GatewayPorts } from '../ports.ts'
import type { Acted } from './act.ts'

/** What must have held, and whether it did. */
export type Invariants = OutcomeDraft['outcome']['invariants']

/**
 * Compares what was decided with what was done: code ran under the sandbox profile that the decision names, also where a policy forced it.
 * Where one fails, the outcome is recorded with it and the output is withheld. Nothing to compare where nothing ran, or
 * where the code was killed with the process that knew its profile: then there is no output either.
 */
export function verifyInvariants(
  entry: CatalogueEntry | null,
  acted: Acted,
  forced: ForcedProfile | null,
  ports: Pick<GatewayPorts, 'sandbox'>,
): Invariants {
  if (entry === null || entry.runtime === null || acted.status === 'broken') return []
  const asked = ports.sandbox(entry.runtime, forced)
  const used = acted.sandbox
  if (acted.status === 'killed' && used === undefined) return []
  const pass = asked !== null && used !== undefined && used.profileHash === asked.profileHash
  const detail = pass ? null : `asked ${asked?.profileHash ?? 'none'}, used ${used?.profileHash ?? 'none'}`
  return [{ id: 'sandbox-profile', pass, detail }]
}
