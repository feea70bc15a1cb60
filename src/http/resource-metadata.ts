import { requestedResource, signatureAlgorithms } from '../auth/index.ts'
import { isName } from '../kernel/index.ts'
import { sendError, sendJson } from './respond.ts'
import type { MountedPart, Route } from './routes.ts'

/** What the documents say besides the resource itself. */
export interface ResourceMetadataParts {
  /** Issuer identifiers of the authorization servers whose tokens are taken. */
  authorizationServers(publicUrl: string): readonly string[]
  /** Whether tokens may be bound to the certificate of the client (RFC 8705 section 3.3). */
  readonly certificateBound: boolean
}

/**
 * Protected resource metadata (RFC 9728 section 3): one document for each namespace and one for the management API. A
 * namespace has one whether it exists or not, because strangers may read it.
 */
export function resourceMetadataRoutes(parts: ResourceMetadataParts): readonly Route[] {
  const serveDocument: MountedPart = async ({ response, head, parameters, publicUrl, refused }) => {
    const path = head.path.slice('/.well-known/oauth-protected-resource'.length)
    if (parameters.namespace !== undefined && !isName(parameters.namespace)) {
      refused('not_found', 'no such resource')
      return sendError(response, 'not_found')
    }
    const { identifier, namespace, scope } = requestedResource(publicUrl, `${publicUrl}${path}`)
    sendJson(response, 200, {
      resource: identifier,
      resource_name: namespace === null ? 'MCPWorks management' : `MCPWorks namespace ${namespace}`,
      authorization_servers: parts.authorizationServers(publicUrl),
      scopes_supported: [scope],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: signatureAlgorithms,
      ...(parts.certificateBound ? { tls_client_certificate_bound_access_tokens: true } : {}),
    })
  }
  const paths = ['/.well-known/oauth-protected-resource/mcp/{namespace}', '/.well-known/oauth-protected-resource/api']
  return paths.map((path) => ({
    method: 'GET',
    path,
    access: { kind: 'public' },
    serve: { kind: 'mounted', part: serveDocument },
  }))
}
