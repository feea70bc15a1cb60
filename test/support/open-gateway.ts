import type { Catalogue, Effect, EntryKind, Gateway, GatewayAnswer } from '../../src/gateway/index.ts'
import { errorTable, uuidv7 } from '../../src/kernel/index.ts'

/**
 * A gateway that decides and records nothing: for tests of the HTTP layer alone, and for negative controls.
 * Every namespace of the catalogue is open to everybody.
 */
export function createOpenGateway(catalogue: Catalogue): Gateway {
  return {
    async perform(request, events): Promise<GatewayAnswer> {
      const call = uuidv7(Date.now())
      const [kind, name] = targetOf(request.effect)
      const entry = catalogue.resolve(request.namespace, kind, name)
      if (entry === null)
        return {
          status: 'unknown',
          call,
          message:
            errorTable[`${kind === 'resource' ? 'resource' : kind === 'prompt' ? 'prompt' : 'tool'}_unknown`].message,
        }
      const { caller, namespace, effect, facts } = request
      const outcome = await entry.backend.act(
        { namespace, call, run: call, caller, effect, facts, depth: 0, profile: null },
        events,
        async () => ({
          status: 'unknown',
          call,
          message: errorTable.tool_unknown.message,
        }),
      )
      switch (outcome.status) {
        case 'input-required':
          return { status: 'input-required', call, inputRequests: outcome.inputRequests, state: outcome.state }
        case 'protocol-error':
          return { ...outcome, call }
        default:
          return { status: 'ok', call, result: outcome.result }
      }
    },
    list: (_caller, namespace, kind) => catalogue.list(namespace, kind).map((entry) => entry.definition),
    mayEnter: (_caller, namespace) => catalogue.hasNamespace(namespace),
  }
}

function targetOf(effect: Effect): [EntryKind, string] {
  switch (effect.kind) {
    case 'call':
      return ['tool', effect.tool]
    case 'read':
      return ['resource', effect.uri]
    case 'prompt':
      return ['prompt', effect.name]
    case 'complete':
      if (typeof effect.ref.name === 'string') return ['prompt', effect.ref.name]
      return ['resource', typeof effect.ref.uri === 'string' ? effect.ref.uri : '']
    case 'manage':
    case 'approve':
    case 'audit':
      return ['tool', effect.operation]
  }
}
