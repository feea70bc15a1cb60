import { isName, type Scope } from '../../kernel/index.ts'
import type { StoredPrincipal } from '../credential-store.ts'

/** What an access token can be for: the endpoint of one namespace, or the management API. */
export type ProtectedResource =
  | { readonly kind: 'namespace'; readonly namespace: string; readonly scope: Scope }
  | { readonly kind: 'management'; readonly scope: Scope }

/** Identifier of a namespace's endpoint (RFC 8707 section 2): its URL. */
export function namespaceResource(publicUrl: string, namespace: string): string {
  return `${publicUrl}/mcp/${namespace}`
}

/** Identifier of the management API. */
export function managementResource(publicUrl: string): string {
  return `${publicUrl}/api`
}

/**
 * What the identifier names here; `null` where it is not exactly one of ours. Says nothing of whether the namespace
 * exists: strangers ask this.
 */
export function readResource(publicUrl: string, identifier: string): ProtectedResource | null {
  if (identifier === managementResource(publicUrl)) return { kind: 'management', scope: 'admin' }
  const prefix = namespaceResource(publicUrl, '')
  const namespace = identifier.startsWith(prefix) ? identifier.slice(prefix.length) : ''
  return isName(namespace) ? { kind: 'namespace', namespace, scope: 'mcp' } : null
}

/** Whether a principal may have tokens for it at all: an agent has one namespace. Policy decides within that. */
export function isOpenTo(resource: ProtectedResource, principal: StoredPrincipal): boolean {
  return resource.kind === 'management' || principal.namespace === resource.namespace
}
