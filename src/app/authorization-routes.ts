import type { AuthorizationServer, IdentityRegistry, SignedIn, SignIn } from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import { filterVisible, type Catalogue, type Gateway } from '../gateway/index.ts'
import { authorizationServerRoutes, type Route } from '../http/index.ts'
import { errorTable, isJsonObject, McpworksError, type ErrorCode } from '../kernel/index.ts'
import type { PolicyEngine } from '../policy/index.ts'

/** What the pages of the authorization server stand on. */
export interface AuthorizationPagesParts {
  readonly config: Config['auth']
  readonly signIn: SignIn
  readonly registry: IdentityRegistry
  readonly gateway: Gateway
  readonly catalogue: Catalogue
  readonly policy: PolicyEngine
}

/** Roles that can manage agents; whether one may is still decided by policy. */
const agentMakers = ['owner', 'admin']

/** The routes of the authorization server, with what its consent page asks: whose agents, what they may call. */
export function authorizationRoutes(server: AuthorizationServer, parts: AuthorizationPagesParts): Route[] {
  const { config, signIn, registry, catalogue, policy } = parts
  return authorizationServerRoutes({
    server,
    signIn,
    registry,
    toolsOf: (agent) =>
      agent.namespace === null
        ? []
        : filterVisible({ catalogue, policy }, agent, agent.namespace, 'tool').map(({ name }) => String(name)),
    mayAddAgents({ userId }, namespace) {
      const roles = registry.findActivePrincipal(userId)?.groups ?? []
      return agentMakers.some((role) => roles.includes(role) || roles.includes(`${namespace}/${role}`))
    },
    addAgent: (person, namespace, name, address) => addAgent(person, namespace, name, address, parts),
    grantMaxDays: config.server.grantMaxDays,
  })
}

/** As the person, through the pipeline: decided by policy and recorded like every other change. */
async function addAgent(
  person: SignedIn,
  namespace: string,
  name: string,
  address: string,
  { registry, gateway }: AuthorizationPagesParts,
): Promise<{ id: string }> {
  const user = registry.findActivePrincipal(person.userId)
  if (user === null) throw new McpworksError('denied')
  const answer = await gateway.perform(
    {
      caller: {
        principal: registry.describe(user),
        authentication: {
          method: 'session',
          credentialId: person.sessionId,
          senderConstrained: false,
          expiresAtMs: person.expiresAtMs,
          scopes: ['admin'],
        },
        client: { address, claimedName: null },
      },
      namespace,
      door: 'management',
      effect: { kind: 'manage', operation: 'agent.add', arguments: { namespace, agent: name, groups: [] } },
      facts: { method: 'agent.add', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
  // Whoever adds an agent owns it: the operation has seen to that.
  if (answer.status === 'ok') return { id: `${namespace}/${name}` }
  const data = answer.status === 'protocol-error' && isJsonObject(answer.data) ? answer.data : {}
  const code = typeof data.code === 'string' && Object.hasOwn(errorTable, data.code) ? data.code : 'denied'
  const message = 'message' in answer ? answer.message : errorTable.denied.message
  throw new McpworksError(code as ErrorCode, { message })
}
