import type { JsonObject } from '../../kernel/index.ts'
import { endpoints } from './endpoints.ts'

/** What of the set-up clients are told. */
export interface MetadataFacts {
  readonly issuer: string
  readonly browserOrigin: string
  readonly grantTypes: readonly string[]
  /** Profiles of grants (Identity Assertion JWT Authorization Grant, section 7.2). */
  readonly grantProfiles: readonly string[]
  readonly documentsTaken: boolean
  readonly registrationOpen: boolean
  readonly bindsToCertificates: boolean
}

/**
 * Authorization server metadata (RFC 8414 section 2), of what is there and nothing else. OpenID Connect clients find
 * the same under their own name; there are no ID tokens, and what the two required members say is of no consequence.
 */
export function serverMetadata({
  issuer,
  browserOrigin,
  grantTypes,
  grantProfiles,
  documentsTaken,
  registrationOpen,
  bindsToCertificates,
}: MetadataFacts): JsonObject {
  return {
    issuer,
    authorization_endpoint: `${browserOrigin}${endpoints.authorize}`,
    token_endpoint: `${issuer}${endpoints.token}`,
    revocation_endpoint: `${issuer}${endpoints.revoke}`,
    pushed_authorization_request_endpoint: `${issuer}${endpoints.push}`,
    jwks_uri: `${issuer}${endpoints.keys}`,
    ...(registrationOpen ? { registration_endpoint: `${issuer}${endpoints.register}` } : {}),
    scopes_supported: ['mcp', 'admin'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials', ...grantTypes],
    ...(grantProfiles.length === 0 ? {} : { authorization_grant_profiles_supported: [...grantProfiles] }),
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
    revocation_endpoint_auth_methods_supported: [
      'none',
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
    ],
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519'],
    ...(bindsToCertificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: documentsTaken,
    request_uri_parameter_supported: false,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}
