import { isName, type Scope } from '../../kernel/index.ts'

/** The protected resource (RFC 9728 section 1.2) that a request is for. */
export interface RequestedResource {
  /** Its identifier, which a token must have as audience. */
  readonly identifier: string
  readonly namespace: string | null
  /** The scope that it asks for. */
  readonly scope: Scope
}

/**
 * The resource of a request by its URL: that of a namespace, which need not exist, below `/mcp/`, and the management API
 * for everything else, so that strangers are told the same of every path that is no namespace.
 */
export function requestedResource(publicUrl: string, url: string): RequestedResource {
  const prefix = `${publicUrl}/mcp/`
  const namespace = url.startsWith(prefix) ? url.slice(prefix.length) : ''
  if (isName(namespace)) return { identifier: `${prefix}${namespace}`, namespace, scope: 'mcp' }
  return { identifier: `${publicUrl}/api`, namespace: null, scope: 'admin' }
}

/** Where the metadata of a resource is (RFC 9728 section 3.1): the well-known path goes before that of the resource. */
export function metadataUrlOf(identifier: string): string {
  const { origin, pathname } = new URL(identifier)
  return `${origin}/.well-known/oauth-protected-resource${pathname}`
}
