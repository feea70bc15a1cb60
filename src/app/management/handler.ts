import type { OperationInput, OperationName } from '../../contract/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import type { Invocation } from '../../gateway/index.ts'

/**
 * Carries out one management operation. Its input fits the contract. Refuses by throwing McpworksError.
 * `signal` is aborted when the caller is gone.
 */
export type Handler<Name extends OperationName> = (
  input: OperationInput<Name>,
  invocation: Invocation,
  signal: AbortSignal,
) => Promise<JsonObject>

/** A handler for every operation of the contract. */
export type Handlers = { readonly [Name in OperationName]: Handler<Name> }
