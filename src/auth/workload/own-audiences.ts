import type { AssertionKind } from './assertion.ts'

/** What this server is called. Both without a slash at the end. */
export interface ServerIdentity {
  readonly issuer: string
  readonly tokenEndpoint: string
}

/**
 * Values of `aud` that mean this server: the issuer identifier, and for workloads the token endpoint too (RFC 7523
 * section 3), each with or without a slash at the end.
 */
export function ownAudiences(kind: AssertionKind, { issuer, tokenEndpoint }: ServerIdentity): readonly string[] {
  const own = kind === 'id-jag' ? [issuer] : [issuer, tokenEndpoint]
  return own.flatMap((audience) => [audience, `${audience}/`])
}
