import { z } from 'zod'

/** The name of a policy set: the digest of its files and the platform's own rules. */
export const policySetHash = z
  .templateLiteral(['sha256:', z.string()])
  .refine((text) => /^sha256:[0-9a-f]{64}$/.test(text), 'a policy set is sha256: and 64 hex digits')
