/** One thing that the transport must do. Tests cite it with `verifies(id, title)`. */
export interface Requirement {
  readonly id: string
  /** Section of the MCP specification (2026-07-28 unless it says otherwise), an RFC, or `ours` for what goes beyond. */
  readonly section: string
  readonly sentence: string
}

/**
 * Every transport requirement, in the order of `design/protocol.md`. One list, so that it can be read beside that page and
 * an id is given once.
 */
export const requirements: readonly Requirement[] = [
  {
    id: 'post-only',
    section: 'basic/transports, Sending messages',
    sentence: 'GET and DELETE on an MCP endpoint are answered 405.',
  },
  {
    id: 'session-header-ignored',
    section: 'basic/transports, Backward compatibility',
    sentence: 'In the new era Mcp-Session-Id and Last-Event-ID mean nothing.',
  },
  { id: 'host-checked', section: 'ours', sentence: 'A bad Host alone is answered 403, on every bind.' },
  { id: 'origin-checked', section: 'basic/transports, Security', sentence: 'A bad Origin alone is answered 403.' },
  {
    id: 'credential-first',
    section: 'ours',
    sentence: 'A caller is known before the first byte of a tool name is looked at.',
  },
  {
    id: 'challenge',
    section: 'RFC 6750 section 3',
    sentence: 'Without a credential: 401 and a Bearer challenge without error; with a bad one: invalid_token.',
  },
  {
    id: 'scope-challenge',
    section: 'RFC 6750 section 3.1',
    sentence: 'A credential without the scope is answered 403 insufficient_scope, naming the scope.',
  },
  {
    id: 'resource-metadata',
    section: 'RFC 9728 sections 3 and 5; basic/authorization, Authorization server location',
    sentence: 'Every resource has a metadata document, and the challenge names it.',
  },
  {
    id: 'token-audience',
    section: 'RFC 8707 section 2; basic/authorization, Access token usage',
    sentence: 'A token is taken by the resource that is its audience and by no other.',
  },
  {
    id: 'dpop-bound',
    section: 'RFC 9449 section 7; SEP-1932',
    sentence: 'A token bound to a key is taken only with a good proof of that key, and never as Bearer.',
  },
  {
    id: 'dpop-nonce',
    section: 'RFC 9449 section 9',
    sentence: 'Where nonces are asked for, a proof without a good one is answered use_dpop_nonce with DPoP-Nonce.',
  },
  {
    id: 'as-metadata',
    section: 'RFC 8414 section 2; basic/authorization, Authorization server metadata discovery',
    sentence:
      'Metadata is under both well-known names, names the issuer that it was asked at, and states what there is and nothing else.',
  },
  {
    id: 'as-pkce',
    section: 'OAuth 2.1 section 7.5.1; basic/authorization, Authorization code protection',
    sentence:
      'Every authorization request carries a PKCE challenge by S256, and no code is exchanged without its verifier.',
  },
  {
    id: 'as-issuer-in-answer',
    section: 'RFC 9207 section 2',
    sentence: 'Every authorization answer names the issuer, errors included.',
  },
  {
    id: 'as-redirect-exact',
    section: 'OAuth 2.1 section 2.3.1; RFC 8252 section 7.3',
    sentence: 'A redirect URI is compared as text; only the port of a loopback one may differ.',
  },
  {
    id: 'as-resource',
    section: 'RFC 8707 section 2; basic/authorization, Resource parameter',
    sentence: 'A token is for exactly one resource, which the client named and which is one of ours.',
  },
  {
    id: 'as-token-profile',
    section: 'RFC 9068 section 2.2',
    sentence:
      'Access tokens are signed JWTs of five minutes with issuer, audience, subject, client, scope and an id of their own.',
  },
  {
    id: 'as-code-once',
    section: 'RFC 6749 section 4.1.2; OAuth 2.1 section 4.1.3',
    sentence: 'A code is good once; a second use ends everything that came of it, also when both come at once.',
  },
  {
    id: 'as-refresh-rotation',
    section: 'OAuth 2.1 section 4.3.1; RFC 9700 section 4.14',
    sentence: 'A refresh token is replaced at each use, and a second use ends everything that came of it.',
  },
  {
    id: 'as-client-documents',
    section: 'OAuth Client ID Metadata Document section 4; basic/authorization, Client ID metadata documents',
    sentence:
      'A client is described by the document at its own URL, which is read within bounds and from public addresses only.',
  },
  {
    id: 'as-client-credentials',
    section: 'RFC 6749 section 4.4; SEP-1046',
    sentence: 'An agent gets tokens of its own by a secret or an assertion signed by its key.',
  },
  {
    id: 'as-revocation',
    section: 'RFC 7009 section 2',
    sentence: 'A client can revoke its refresh and access tokens, which then open nothing, and no other client can.',
  },
  {
    id: 'as-consent',
    section: 'RFC 9700 sections 4.7 and 4.16; ours',
    sentence:
      'A person is shown who asks for what, and answers in the browser that was asked, for agents of their own.',
  },
  {
    id: 'as-dpop-binding',
    section: 'RFC 9449 sections 5 and 10; SEP-1932',
    sentence:
      'With a DPoP proof the tokens of a public client are bound to its key, and a code to the key that the request named.',
  },
  {
    id: 'as-dpop-proof',
    section: 'RFC 9449 section 4.3',
    sentence: 'The token endpoint refuses a proof that is not for it, is not fresh, or is not signed by the key in it.',
  },
  {
    id: 'as-dpop-replay',
    section: 'RFC 9449 section 11.1',
    sentence: 'The token endpoint takes a proof once.',
  },
  {
    id: 'as-dpop-nonce',
    section: 'RFC 9449 section 8',
    sentence: 'Where nonces are asked for, the token endpoint answers use_dpop_nonce with DPoP-Nonce.',
  },
  {
    id: 'as-certificate-bound',
    section: 'RFC 8705 sections 3 and 3.3',
    sentence: 'A token asked for with a client certificate is bound to it, and the metadata says that this can be had.',
  },
  {
    id: 'public-list',
    section: 'ours',
    sentence: 'Only /healthz, metadata and the authorization server answer without a credential.',
  },
  {
    id: 'namespace-entry',
    section: 'ours',
    sentence: 'An unknown namespace and one the caller may not enter are one answer.',
  },
  {
    id: 'content-type',
    section: 'basic/transports, Sending messages',
    sentence: 'A body that is not application/json is answered 415 and not looked at.',
  },
  {
    id: 'body-limit',
    section: 'ours',
    sentence: 'A body over the limit is answered 413, whatever Content-Length says.',
  },
  {
    id: 'strict-json',
    section: 'RFC 8259; RFC 7493 section 2',
    sentence: 'Duplicate members, lone surrogates, __proto__ and deep nesting are refused.',
  },
  { id: 'no-batches', section: 'basic/index, Messages', sentence: 'A batch is answered 400.' },
  {
    id: 'header-mismatch',
    section: 'basic/transports, Standard request headers',
    sentence: 'MCP-Protocol-Version, Mcp-Method and Mcp-Name must equal the body: else 400, -32020.',
  },
  {
    id: 'parameter-headers',
    section: 'basic/transports, Custom headers from tool parameters',
    sentence: 'Mcp-Param-* must equal the arguments that a tool declares for them: else 400, -32020.',
  },
  {
    id: 'version-unsupported',
    section: 'basic/versioning, Errors',
    sentence: 'A version that is not served is answered 400, -32022, with supported and requested.',
  },
  {
    id: 'meta-required',
    section: 'basic/index, Per-request metadata',
    sentence: 'A request without the required _meta members is answered 400, -32602.',
  },
  {
    id: 'capability-missing',
    section: 'basic/index, Errors',
    sentence: 'What needs a capability the client did not declare is answered 400, -32021, naming it.',
  },
  {
    id: 'method-unknown',
    section: 'basic/transports, Errors',
    sentence: 'An unknown method is answered 404, -32601, with the id of the request.',
  },
  { id: 'no-buffering', section: 'basic/transports, Streaming', sentence: 'Answers carry X-Accel-Buffering: no.' },
  {
    id: 'disconnect-cancels',
    section: 'basic/transports, Cancellation',
    sentence: 'A client that disconnects cancels its call.',
  },
  { id: 'discover', section: 'server/discover', sentence: 'server/discover tells versions and capabilities.' },
  {
    id: 'listen',
    section: 'basic/subscriptions',
    sentence:
      'subscriptions/listen acknowledges first, tags every notification, and sends nothing that was not asked for.',
  },
  {
    id: 'listen-visibility',
    section: 'ours',
    sentence: 'A change of a list is told only to those whose own list changed.',
  },
  { id: 'listen-revocation', section: 'ours', sentence: 'A stream ends when its credential is revoked.' },
  {
    id: 'state-sealed',
    section: 'basic/utilities/mrtr, Security',
    sentence:
      'requestState opens once, until it expires, for the same principal, credential, namespace, method and parameters.',
  },
  {
    id: 'private-lists',
    section: 'server/utilities/caching',
    sentence: 'Lists and reads carry ttlMs and cacheScope private.',
  },
  {
    id: 'pagination',
    section: 'server/utilities/pagination',
    sentence: 'Lists are paged by opaque cursors; a bad cursor is -32602.',
  },
  {
    id: 'progress',
    section: 'basic/utilities/progress',
    sentence: 'Progress goes out only where the request gave a token.',
  },
  {
    id: 'log-level',
    section: 'server/utilities/logging',
    sentence: 'Log messages go out only at or above the level that was asked for.',
  },
  { id: 'call-id', section: 'ours', sentence: 'Every result of a tool names the call for mcpworks why.' },
  {
    id: 'denial-readable',
    section: 'ours',
    sentence: 'A refused call tells the reason, the rule, what would change it, and the call.',
  },
  {
    id: 'arguments-invalid',
    section: 'server/tools, Error handling (SEP-1303)',
    sentence: 'Arguments that break the schema are a tool error that says which and why.',
  },
  {
    id: 'resource-unknown',
    section: 'server/resources, Error handling (SEP-2164)',
    sentence: 'An unknown resource is -32602 with its URI.',
  },
  {
    id: 'unavailable',
    section: 'ours',
    sentence: 'Where a step of the pipeline cannot do its work the answer is 503 and says so.',
  },
  {
    id: 'incident',
    section: 'ours',
    sentence: 'An unexpected exception is answered 500 with an incident id and nothing else.',
  },
  {
    id: 'legacy-initialize',
    section: '2025-11-25 basic/lifecycle',
    sentence: 'initialize agrees on a version and opens a session.',
  },
  {
    id: 'legacy-session',
    section: '2025-11-25 basic/transports, Session management',
    sentence: 'A session belongs to one principal, credential and namespace; for all others it does not exist (404).',
  },
  {
    id: 'legacy-input',
    section: '2025-11-25 client/elicitation',
    sentence:
      'A tool that needs input asks a 2025-era client on the stream of its call, and each round is performed again.',
  },
  {
    id: 'legacy-cancel',
    section: '2025-11-25 basic/utilities/cancellation',
    sentence: 'notifications/cancelled stops the request of that id in the same session.',
  },
  { id: 'same-rules', section: 'ours', sentence: 'Both eras pass the same checks in the same order.' },
  {
    id: 'management-validation',
    section: 'ours',
    sentence: 'The management API lists every problem of its input with its path.',
  },
  {
    id: 'management-pipeline',
    section: 'ours',
    sentence: 'Every management operation goes through the pipeline as an effect.',
  },
  {
    id: 'wif-no-registration',
    section: 'SEP-1933, Introduction; RFC 7521 section 4.1',
    sentence: 'A workload shows its assertion without a client; a client that is named must be one.',
  },
  {
    id: 'wif-claim-policy',
    section: 'SEP-1933, Trust Configuration',
    sentence: 'That an issuer is trusted gives its workloads nothing: a binding of claims to one agent does.',
  },
  {
    id: 'wif-audience',
    section: 'RFC 7523 section 3, point 3',
    sentence: 'Every aud of an assertion is the token endpoint or the issuer identifier, with or without a slash.',
  },
  {
    id: 'wif-resource',
    section: 'SEP-1933, Token Endpoint; RFC 8707 section 2',
    sentence: 'An assertion is exchanged for a token of exactly one resource of this server, else invalid_target.',
  },
  {
    id: 'wif-errors',
    section: 'SEP-1933, Error Response; RFC 7523 section 3.1',
    sentence: 'An assertion that is not good is 400 invalid_grant, which does not tell what was wrong with it.',
  },
  {
    id: 'wif-replay',
    section: 'RFC 7523 section 3, point 7',
    sentence: 'An assertion of an issuer whose assertions are single-use is taken once until it has expired.',
  },
  {
    id: 'jag-replay',
    section: 'Enterprise-Managed Authorization, section 7.4.2',
    sentence: 'An identity assertion is taken once, whatever else its issuer may reuse.',
  },
  {
    id: 'jag-client',
    section: 'Identity Assertion JWT Authorization Grant, section 4.4.1',
    sentence: 'An identity assertion is taken from the authenticated client that its client_id names.',
  },
  {
    id: 'jag-pair',
    section: 'Enterprise-Managed Authorization, section 7.6',
    sentence: 'aud is this authorization server and resource one of its resources, else invalid_grant.',
  },
  {
    id: 'jag-scope',
    section: 'Enterprise-Managed Authorization, section 7.2.1',
    sentence: 'A token has the scopes that both the identity assertion and the request name.',
  },
  {
    id: 'exchange-narrows',
    section: 'RFC 8693 section 2; ours',
    sentence: 'An exchanged token keeps subject and resource and has no more scope and no later end than before.',
  },
  {
    id: 'exchange-actor',
    section: 'RFC 8693 sections 2.1, 4.1 and 4.4',
    sentence: 'Whoever will act proves it by an access token of its own, and is the actor of the new token.',
  },
  {
    id: 'exchange-bound',
    section: 'RFC 9449 section 5; ours',
    sentence: 'A token bound to a key is exchanged with proof of that key only, and the new one is bound to it.',
  },
]

/** A title that cites a requirement. @throws Error for an id that is not in the list, so that a typing error shows */
export function verifies(id: string, title: string): string {
  if (!requirements.some((requirement) => requirement.id === id)) throw new Error(`there is no requirement ${id}`)
  return title
}

/** Ids that `verifies('...')` cites in a source text. */
export function citedIn(source: string): string[] {
  return [...source.matchAll(/verifies\(\s*'([a-z0-9-]+)'/g)].map(([, id]) => String(id))
}
