import type { IdentityRegistry } from '../../auth/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

type IdentityHandlers = Pick<
  Handlers,
  'agent.list' | 'agent.add' | 'agent.revoke' | 'key.list' | 'key.create' | 'key.revoke'
>

/** Agents and their keys. Each change is in the decision log before it takes effect, as the operation's own record. */
export function identityHandlers(
  registry: IdentityRegistry,
  clock: Clock,
  hasNamespace: (name: string) => boolean,
): IdentityHandlers {
  return {
    'agent.list': async ({ namespace }) => ({ agents: registry.listAgents(namespace).map(asJson) }),
    async 'agent.add'({ namespace, agent, groups }) {
      if (!hasNamespace(namespace)) throw unknownNamespace(namespace)
      return { agent: asJson(await registry.addAgent(namespace, agent, groups)) }
    },
    async 'agent.revoke'({ namespace, agent }) {
      await registry.revokePrincipal(`${namespace}/${agent}`)
      return { revoked: `${namespace}/${agent}` }
    },
    async 'key.list'({ namespace, agent }) {
      if (registry.findPrincipal(`${namespace}/${agent}`) === null) {
        throw new McpworksError('unknown_object', { message: `There is no agent ${namespace}/${agent}.` })
      }
      return { keys: registry.listKeys(`${namespace}/${agent}`).map(asJson) }
    },
    async 'key.create'({ namespace, agent, label, expiresInSeconds }) {
      const expiresAtMs = expiresInSeconds === null ? null : clock.nowMs() + expiresInSeconds * 1000
      const { text, key } = await registry.createKey(`${namespace}/${agent}`, { label, scopes: ['mcp'], expiresAtMs })
      return { apiKey: text, key: asJson(key) }
    },
    async 'key.revoke'({ namespace, key }) {
      await registry.revokeKey(namespace, key)
      return { revoked: key }
    },
  }
}

/** The error for a namespace that is not there. */
export function unknownNamespace(namespace: string): McpworksError {
  return new McpworksError('unknown_object', {
    message: `There is no namespace ${namespace}. Make it with "mcpworks apply -f DIR" and a namespace.yaml.`,
  })
}

function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}
