import type { ErrorCode } from '../kernel/index.ts'

/** A request that got no further than the door. Holds no credential and nothing else a stranger can fill at will. */
export interface DoorRefusal {
  readonly code: ErrorCode
  readonly status: number
  /** Remote address of the connection. */
  readonly address: string
  /** Pattern of the route (`/mcp/{namespace}`), `null` where no route matched or none was looked up. */
  readonly route: string | null
  /** Namespace asked for, only where its name is well-formed; it need not exist. */
  readonly namespace: string | null
  /** The caller, where the credential was good. */
  readonly principalId: string | null
  readonly credentialId: string | null
  /** For the record: what was wrong, in our words. */
  readonly reason: string
}

/** An exception that nobody expected. The id is all that the caller was told. */
export interface Incident {
  readonly id: string
  readonly where: string
  readonly error: unknown
}
