import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { readPublic } from '../api-client.ts'

/** What a server lets MCP clients do about OAuth. */
export type OfferedSignIn =
  /** Nobody answered, or not with what was asked for. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'none' }
  | {
      readonly kind: 'oauth'
      /** Client id metadata documents are taken. */
      readonly metadataDocuments: boolean
      /** Clients can register themselves. */
      readonly registration: boolean
    }

/** Reads the metadata of the endpoint (RFC 9728) and of its authorization server (RFC 8414), both public. */
export async function offeredSignIn(serverUrl: string, namespace: string): Promise<OfferedSignIn> {
  const resource = await readPublic(`${serverUrl}/.well-known/oauth-protected-resource/mcp/${namespace}`)
  if (resource === null) return { kind: 'unknown' }
  const issuer = firstIssuer(resource.body)
  if (resource.status !== 200 || issuer === null) return { kind: 'none' }
  const metadata = await readPublic(metadataUrl(issuer))
  if (metadata === null || metadata.status !== 200 || !isJsonObject(metadata.body)) return { kind: 'unknown' }
  return {
    kind: 'oauth',
    metadataDocuments: metadata.body.client_id_metadata_document_supported === true,
    registration: typeof metadata.body.registration_endpoint === 'string',
  }
}

function firstIssuer(body: JsonObject | null): string | null {
  const servers = body?.authorization_servers
  const [first] = Array.isArray(servers) ? servers : []
  return typeof first === 'string' && /^https?:/.test(first) && URL.canParse(first) ? first : null
}

/** RFC 8414 section 3.1. */
function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`
}
