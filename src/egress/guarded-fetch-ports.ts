import type { ResolveName } from './check-target.ts'

/** What a guarded fetch stands on. Nothing of it is needed outside tests. */
export interface GuardedFetchPorts {
  /** The system's resolver unless told otherwise. */
  readonly resolve?: ResolveName
  /** Certificates (PEM) to trust instead of those that Node trusts. */
  readonly certificateAuthorities?: readonly string[]
}
