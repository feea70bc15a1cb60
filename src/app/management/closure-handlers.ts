import type { IdentityEvents, NamespaceClosure, NamespaceClosures } from '../../auth/index.ts'
import type { Invocation } from '../../gateway/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'

type ClosureHandlers = Pick<Handlers, 'namespace.close' | 'namespace.open' | 'platform.close' | 'platform.open'>

/** What the kill switches stand on. */
export interface ClosureHandlerPorts {
  readonly closures: NamespaceClosures
  readonly events: Pick<IdentityEvents, 'record'>
  hasNamespace(name: string): boolean
}

/** The kill switches. Each use is a `credential` record with its reason, durable before it takes effect. */
export function closureHandlers({ closures, events, hasNamespace }: ClosureHandlerPorts): ClosureHandlers {
  async function close(namespace: string | null, reason: string, { caller, call }: Invocation): Promise<JsonObject> {
    const closed = closures.find(namespace)
    if (closed !== null) return { closed: closureView(closed) }
    await events.record({
      type: 'namespace-closed',
      namespace,
      principalId: caller.principal.id,
      credentialId: caller.authentication.credentialId,
      address: caller.client.address,
      facts: { all: namespace === null, reason, call },
    })
    return { closed: closureView(await closures.close(namespace, caller.principal.id, reason)) }
  }

  async function open(namespace: string | null, { caller, call }: Invocation): Promise<JsonObject> {
    if (closures.find(namespace) !== null) {
      await events.record({
        type: 'namespace-opened',
        namespace,
        principalId: caller.principal.id,
        credentialId: caller.authentication.credentialId,
        address: caller.client.address,
        facts: { all: namespace === null, call },
      })
    }
    return { opened: await closures.open(namespace), stillClosed: namespace !== null && closures.isClosed(namespace) }
  }

  return {
    async 'namespace.close'({ namespace, reason }, invocation) {
      if (!hasNamespace(namespace)) throw unknownNamespace(namespace)
      return close(namespace, reason, invocation)
    },
    async 'namespace.open'({ namespace }, invocation) {
      if (!hasNamespace(namespace)) throw unknownNamespace(namespace)
      return open(namespace, invocation)
    },
    'platform.close': ({ reason }, invocation) => close(null, reason, invocation),
    'platform.open': (_input, invocation) => open(null, invocation),
  }
}

/** A closure as lists show it. */
export function closureView({ namespace, closedAtMs, closedBy, reason }: NamespaceClosure): JsonObject {
  return { namespace, closedAtMs, closedBy, reason }
}
