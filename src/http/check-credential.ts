import type { Scope } from '../kernel/index.ts'

/** RFC 6750 section 3: no `error` where nothing was presented. */
export function missingChallenge(scope: Scope | null): Record<string, string> {
  return { 'WWW-Authenticate': `Bearer realm="mcpworks"${scope === null ? '' : `, scope="${scope}"`}` }
}

/** RFC 6750 section 3.1: the credential was no good. Does not say how. */
export function invalidChallenge(): Record<string, string> {
  return {
    'WWW-Authenticate':
      'Bearer realm="mcpworks", error="invalid_token", error_description="The credential is unknown, expired or revoked"',
  }
}

/** RFC 6750 section 3.1: the credential is good for something else; names every scope needed. */
export function scopeChallenge(scope: Scope): Record<string, string> {
  return {
    'WWW-Authenticate': `Bearer realm="mcpworks", error="insufficient_scope", error_description="This needs the scope ${scope}", scope="${scope}"`,
  }
}
