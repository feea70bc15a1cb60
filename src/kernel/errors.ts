/** One row of the error table. `docs/errors.md` is made from it. */
export interface ErrorRow {
  /** HTTP status (RFC 9110). */
  readonly status: number
  /** JSON-RPC 2.0 code. Ours are -31xxx: -32000..-32019 must not be used and -32020..-32099 belong to the MCP specification. */
  readonly rpc: number
  /** OAuth error (RFC 6750 section 3.1, RFC 9449 sections 7.1 and 9), where one is defined. */
  readonly oauth?: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof' | 'use_dpop_nonce'
  /** The public sentence: what was wrong and what to do. */
  readonly message: string
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean
}

const rows = {
  // The door
  credential_missing: {
    status: 401,
    rpc: -31001,
    message: 'No credential. Send "Authorization: Bearer <api key>".',
    retryable: false,
  },
  credential_invalid: {
    status: 401,
    rpc: -31001,
    oauth: 'invalid_token',
    message: 'The credential is unknown, expired or revoked. Ask the owner of this namespace for a new one.',
    retryable: false,
  },
  scope_missing: {
    status: 403,
    rpc: -31001,
    oauth: 'insufficient_scope',
    message: 'The credential is valid but not for this. See the scope in WWW-Authenticate.',
    retryable: false,
  },
  dpop_proof_invalid: {
    status: 401,
    rpc: -31001,
    oauth: 'invalid_dpop_proof',
    message: 'The DPoP proof is missing or not good for this request and token (RFC 9449 section 4.3). Make a new one.',
    retryable: false,
  },
  dpop_nonce_required: {
    status: 401,
    rpc: -31001,
    oauth: 'use_dpop_nonce',
    message: 'Make a new DPoP proof with the nonce of the DPoP-Nonce header.',
    retryable: true,
  },
  issuer_unavailable: {
    status: 503,
    rpc: -31001,
    message: 'The keys of the issuer of this token cannot be had, so it cannot be checked. Try again.',
    retryable: true,
  },
  rate_limited: {
    status: 429,
    rpc: -31001,
    message: 'Too many requests. Wait as long as the Retry-After header says.',
    retryable: true,
  },
  host_refused: {
    status: 403,
    rpc: -31001,
    message: 'The Host header names no address of this server. Add it to http.allowedHosts if it should.',
    retryable: false,
  },
  origin_refused: {
    status: 403,
    rpc: -31001,
    message: 'The Origin header is not on the list. Add it to http.allowedOrigins if it should be.',
    retryable: false,
  },
  not_found: { status: 404, rpc: -32601, message: 'There is nothing here.', retryable: false },
  method_not_allowed: {
    status: 405,
    rpc: -32601,
    message: 'This address does not take that method.',
    retryable: false,
  },
  unsupported_media_type: { status: 415, rpc: -32600, message: 'Send the body as application/json.', retryable: false },
  body_too_large: {
    status: 413,
    rpc: -32600,
    message: 'The request body is over the limit (http.maxBodyBytes).',
    retryable: false,
  },
  invalid_json: { status: 400, rpc: -32700, message: 'The body is not valid JSON.', retryable: false },
  invalid_request: { status: 400, rpc: -32600, message: 'The request is not of the right form.', retryable: false },
  // The pipeline
  tool_unknown: {
    status: 200,
    rpc: -32602,
    message: 'Unknown tool. tools/list shows what you may call.',
    retryable: false,
  },
  resource_unknown: {
    status: 200,
    rpc: -32602,
    message: 'Unknown resource. resources/list shows what you may read.',
    retryable: false,
  },
  prompt_unknown: {
    status: 200,
    rpc: -32602,
    message: 'Unknown prompt. prompts/list shows what you may use.',
    retryable: false,
  },
  arguments_invalid: {
    status: 200,
    rpc: -32602,
    message: 'The arguments do not fit the input schema.',
    retryable: false,
  },
  denied: { status: 403, rpc: -31003, message: 'Refused by policy.', retryable: false },
  state_invalid: {
    status: 200,
    rpc: -32602,
    message:
      'The requestState is unknown, expired, used already, or belongs to another request. Start again without it.',
    retryable: false,
  },
  audit_unavailable: {
    status: 503,
    rpc: -32603,
    message: 'The decision log cannot be written, so nothing is run. See /healthz and `mcpworks doctor`.',
    retryable: true,
  },
  sandbox_unavailable: {
    status: 503,
    rpc: -32603,
    message: 'No sandbox can be had, so nothing is run. See `mcpworks doctor`.',
    retryable: true,
  },
  overloaded: { status: 429, rpc: -32603, message: 'Too much is running at once. Try again.', retryable: true },
  // Management
  changed_meanwhile: {
    status: 409,
    rpc: -32602,
    message: 'Somebody changed it since it was read. Look at what is there now, and decide again.',
    retryable: false,
  },
  already_exists: { status: 409, rpc: -32602, message: 'That name is taken.', retryable: false },
  name_invalid: {
    status: 400,
    rpc: -32602,
    message: 'Names are 2-40 of a-z, 0-9 and hyphen, with a letter first.',
    retryable: false,
  },
  unknown_object: { status: 404, rpc: -32602, message: 'There is no such object.', retryable: false },
  upstream_refused: {
    status: 502,
    rpc: -32602,
    message: 'The third-party server, or its authorization server, cannot be used as it is.',
    retryable: false,
  },
  function_invalid: { status: 400, rpc: -32602, message: 'The function cannot be used as it is.', retryable: false },
  policy_invalid: {
    status: 400,
    rpc: -32602,
    message: 'The policies have mistakes. The policies that were in force still are.',
    retryable: false,
  },
  // Start and storage
  config_invalid: { status: 500, rpc: -32603, message: 'The configuration has mistakes.', retryable: false },
  data_directory_in_use: {
    status: 500,
    rpc: -32603,
    message: 'Another server is using this data directory.',
    retryable: false,
  },
  address_unavailable: {
    status: 500,
    rpc: -32603,
    message: 'The address to listen on cannot be had. Choose another with --port and --host.',
    retryable: false,
  },
  storage_unavailable: {
    status: 503,
    rpc: -32603,
    message: 'The state store cannot be read or written. See /healthz.',
    retryable: true,
  },
  internal: {
    status: 500,
    rpc: -32603,
    message: 'Something broke here. Give the incident id to the operator.',
    retryable: false,
  },
} satisfies Record<string, ErrorRow>

/** Every error code. */
export type ErrorCode = keyof typeof rows

/** The one table of errors: code to HTTP status, JSON-RPC code, OAuth error and public sentence. */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = rows
