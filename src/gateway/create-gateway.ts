import { errorTable, uuidv7, type JsonObject } from '../kernel/index.ts'
import type { EntryKind } from './catalogue.ts'
import type { Gateway } from './gateway.ts'
import { perform } from './pipeline.ts'
import type { GatewayPorts } from './ports.ts'
import { createRunLedger } from './run-ledger.ts'

const actionOf = { tool: 'call', prompt: 'prompt', resource: 'read', 'resource-template': 'read' } as const
const typeOf = { tool: 'Tool', prompt: 'Prompt', resource: 'Resource', 'resource-template': 'Resource' } as const

/** How many filtered lists are kept. */
const maxCachedLists = 1000

/**
 * The pipeline behind a bound on concurrent calls, and the lists filtered by the same policies.
 * `report` gets errors that are nobody's expected outcome, with the call id that the caller was told.
 */
export function createGateway(ports: GatewayPorts, report: (call: string, error: unknown) => void): Gateway {
  const runs = createRunLedger(ports.clock, ports.config.runIdleSeconds * 1000)
  const lists = new Map<string, readonly JsonObject[]>()
  // Apart from each other: whoever fills one cannot keep the operator from revoking them through the other.
  const underWay = { calls: 0, management: 0 }

  return {
    async perform(request, events) {
      const lane = request.door === 'management' ? 'management' : 'calls'
      if (underWay[lane] >= ports.config.maxConcurrentCalls) {
        const call = uuidv7(ports.clock.nowMs())
        return { status: 'unavailable', call, code: 'overloaded', message: errorTable.overloaded.message }
      }
      underWay[lane] += 1
      try {
        return await perform(request, events, ports, runs, report)
      } finally {
        underWay[lane] -= 1
      }
    },
    list(asked, namespace, kind) {
      const caller = ports.refresh(asked)
      if (caller === null) return []
      const { principal } = caller
      // Keyed by the content of everything that the answer depends on, so that it is never stale.
      const key = JSON.stringify([
        namespace,
        kind,
        ports.catalogue.hash(namespace),
        ports.policy.policySetHash(namespace),
        principal.type,
        principal.id,
        principal.groups,
      ])
      const cached = lists.get(key)
      if (cached !== undefined) return cached
      const visible = filterVisible(ports, principal, namespace, kind)
      lists.set(key, visible)
      if (lists.size > maxCachedLists) {
        const oldest = lists.keys().next().value
        if (oldest !== undefined) lists.delete(oldest)
      }
      return visible
    },
    mayEnter(caller, namespace) {
      if (!ports.catalogue.hasNamespace(namespace)) return false
      return caller.principal.namespace === namespace || caller.principal.type === 'user'
    },
  }
}

function filterVisible(
  ports: GatewayPorts,
  principal: Parameters<Gateway['list']>[0]['principal'],
  namespace: string,
  kind: EntryKind,
): readonly JsonObject[] {
  return ports.catalogue
    .list(namespace, kind)
    .filter((entry) =>
      ports.policy.isVisible({
        principal,
        action: actionOf[kind],
        resource: { type: typeOf[kind], id: `${namespace}/${entry.name}`, namespace, service: entry.service },
      }),
    )
    .map((entry) => entry.definition)
}
