import type { OutcomeDraft } from '../../audit/index.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { GatewayPorts } from '../ports.ts'
import type { Acted } from './act.ts'

/** What must have held, and whether it did. */
export type Invariants = OutcomeDraft['outcome']['invariants']

/**
 * Compares what was decided with what was done: code ran under the sandbox profile that the decision names.
 * Where one fails, the outcome is recorded with it and the output is withheld. Nothing to compare where nothing ran, or
 * where the code was killed with the process that knew its profile: then there is no output either.
 */
export function verifyInvariants(entry: CatalogueEntry | null, acted: Acted, ports: GatewayPorts): Invariants {
  if (entry === null || entry.runtime === null || acted.status === 'broken') return []
  const asked = ports.sandbox(entry.runtime)
  const used = acted.sandbox
  if (acted.status === 'killed' && used === undefined) return []
  const pass = asked !== null && used !== undefined && used.profileHash === asked.profileHash
  const detail = pass ? null : `asked ${asked?.profileHash ?? 'none'}, used ${used?.profileHash ?? 'none'}`
  return [{ id: 'sandbox-profile', pass, detail }]
}
