import {
  generateClientSecret,
  redirectUriProblem,
  revokeGrantsOf,
  type AuthorizationServer,
  type IdentityRegistry,
  type StoredCredential,
} from '../../auth/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

type ClientHandlers = Pick<
  Handlers,
  | 'client.list'
  | 'client.create'
  | 'client.revoke'
  | 'application.list'
  | 'application.add'
  | 'application.remove'
  | 'signing-key.rotate'
>

/** What the handlers work on. `server` is `null` where this server issues no tokens. */
export interface ClientHandlersParts {
  readonly registry: IdentityRegistry
  readonly server: () => AuthorizationServer | null
  readonly clock: Clock
}

/** OAuth clients and signing keys. Each change is in the decision log before it takes effect, as the operation's own. */
export function clientHandlers({ registry, server, clock }: ClientHandlersParts): ClientHandlers {
  const mustHaveServer = (): AuthorizationServer => {
    const running = server()
    if (running === null)
      throw new McpworksError('invalid_request', { message: 'This server issues no tokens (auth.server.enabled).' })
    return running
  }
  return {
    'client.list': async ({ namespace }) => ({
      clients: registry
        .listAgents(namespace)
        .flatMap(({ id }) => registry.listCredentials(id))
        .filter(({ kind }) => kind === 'client')
        .map(asJson),
    }),
    async 'client.create'({ namespace, agent, label, keys, dpop, expiresInSeconds }) {
      mustHaveServer()
      const made = keys === null ? generateClientSecret() : null
      const bound = dpop ? { dpop: true } : {}
      const credential = await registry.addCredential(`${namespace}/${agent}`, {
        kind: 'client',
        label,
        scopes: ['mcp'],
        expiresAtMs: expiresInSeconds === null ? null : clock.nowMs() + expiresInSeconds * 1000,
        details:
          made === null
            ? { method: 'private_key_jwt', jwks: checkedKeys(keys ?? { keys: [] }), ...bound }
            : { method: 'client_secret', secretSha256: made.sha256, ...bound },
      })
      return { client: asJson(credential), ...(made === null ? {} : { clientSecret: made.secret }) }
    },
    async 'client.revoke'({ namespace, client }) {
      if (registry.findCredential(client)?.kind !== 'client')
        throw new McpworksError('unknown_object', { message: `There is no client ${client} to revoke here.` })
      await registry.revokeCredential(namespace, client)
      return { revoked: client }
    },
    'application.list': async () => ({
      applications: mustHaveServer()
        .clients.list()
        .map((application) => JSON.parse(JSON.stringify(application)) as JsonObject),
    }),
    async 'application.add'({ title, redirects }, { caller }) {
      for (const uri of redirects) {
        const problem = redirectUriProblem(uri, 'operator')
        if (problem !== null)
          throw new McpworksError('invalid_request', { message: `A redirect URI ${problem}: ${uri.slice(0, 200)}` })
      }
      const application = await mustHaveServer().clients.add({
        source: 'operator',
        name: title,
        metadata: { redirect_uris: redirects },
        createdBy: caller.principal.id,
        expiresAtMs: null,
      })
      return { application: JSON.parse(JSON.stringify(application)) as JsonObject }
    },
    async 'application.remove'({ application }) {
      await mustHaveServer().clients.remove(application)
      const ended = await revokeGrantsOf(application, registry)
      return { removed: application, ended }
    },
    async 'signing-key.rotate'() {
      const { kid, algorithm } = await mustHaveServer().keys.rotate()
      return { kid, algorithm }
    },
  }
}

/** Private members would be secrets of somebody else, kept in the clear. */
function checkedKeys(set: { readonly keys: readonly JsonObject[] }): JsonObject {
  const isPublic = (key: JsonObject): boolean =>
    (key.kty === 'EC' || key.kty === 'OKP' || key.kty === 'RSA') && !['d', 'p', 'q', 'k'].some((name) => name in key)
  if (!set.keys.every(isPublic))
    throw new McpworksError('invalid_request', { message: 'Keys must be public JWKs of type EC, OKP or RSA.' })
  return { keys: [...set.keys] }
}

function asJson({ details, ...credential }: StoredCredential): JsonObject {
  const { method, dpop } = details
  return { ...(JSON.parse(JSON.stringify(credential)) as JsonObject), method: method ?? null, dpop: dpop === true }
}
