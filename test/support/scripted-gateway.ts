import type { Gateway, GatewayAnswer, GatewayRequest, InvocationEvents } from '../../src/gateway/index.ts'
import type { JsonObject } from '../../src/kernel/index.ts'

/** A gateway that answers what the test says and keeps what it was asked. */
export interface ScriptedGateway extends Gateway {
  readonly requests: GatewayRequest[]
  answer: (request: GatewayRequest, events: InvocationEvents) => GatewayAnswer | Promise<GatewayAnswer>
  lists: (namespace: string, kind: string, principal: string) => readonly JsonObject[]
}

/** Every answer is an empty success until the test says otherwise. The namespace `demo` is open to its own agents. */
export function createScriptedGateway(): ScriptedGateway {
  const requests: GatewayRequest[] = []
  return {
    requests,
    answer: () => ({ status: 'ok', call: 'call-1', result: { content: [] } }),
    lists: () => [],
    async perform(request, events) {
      requests.push(request)
      return this.answer(request, events)
    },
    list(caller, namespace, kind) {
      return this.lists(namespace, kind, caller.principal.id)
    },
    mayEnter: (caller, namespace) => namespace === 'demo' && caller.principal.namespace === 'demo',
  }
}
