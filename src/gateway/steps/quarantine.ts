import type { IdentifiedCall } from '../call.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { GatewayPorts } from '../ports.ts'
import type { Invariants } from './verify-invariants.ts'

/**
 * Records that an output is kept back because something that must have held did not, and has whoever is to be told of it
 * told. The output itself is beside the outcome's record, sealed. Nothing goes out whether this succeeds or not.
 * @throws McpworksError `audit_unavailable`
 */
export async function quarantine(
  call: IdentifiedCall,
  entry: CatalogueEntry | null,
  failed: Invariants,
  outcomeId: string,
  { decisionLog, notify }: Pick<GatewayPorts, 'decisionLog' | 'notify'>,
): Promise<void> {
  await decisionLog.append({
    kind: 'quarantine',
    namespace: call.namespace,
    run: call.run,
    call: call.call,
    parentCall: call.parent?.call ?? null,
    trace: call.facts.trace,
    event: {
      type: 'quarantined',
      invariants: failed.map(({ id, detail }) => ({ id, detail })),
      outcome: outcomeId,
      principal: call.caller.principal.id,
      service: entry?.service ?? null,
      tool: entry?.name ?? null,
    },
  })
  notify()
}
