import { operations, type Operation, type OperationName } from '../../contract/index.ts'
import type { ActOutcome, Backend, Invocation } from '../../gateway/index.ts'
import { errorTable, McpworksError, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

/**
 * The backend of management operations and audit reads. It is reached through the pipeline only, after the decision
 * was recorded. A refusal in an operation's own terms is a `protocol-error` whose data names the error code.
 */
export function createManagementBackend(handlers: Handlers): Backend {
  return {
    async act(invocation, { signal }) {
      try {
        return { status: 'ok', result: await dispatch(handlers, invocation, signal) }
      } catch (error) {
        if (error instanceof McpworksError) return refusalOf(error)
        throw error
      }
    },
  }
}

async function dispatch(handlers: Handlers, invocation: Invocation, signal: AbortSignal): Promise<JsonObject> {
  const { effect } = invocation
  if (effect.kind !== 'manage' && effect.kind !== 'approve' && effect.kind !== 'audit')
    throw new McpworksError('not_found')
  const name = effect.operation
  if (!isOperationName(name) || operations[name].effect !== effect.kind) throw new McpworksError('not_found')
  const operation: Operation = operations[name]
  const secret = effect.kind === 'manage' ? effect.secret?.reveal() : undefined
  const parsed = operation.input.safeParse(
    operation.secret === undefined || secret === undefined
      ? effect.arguments
      : { ...effect.arguments, [operation.secret]: secret },
  )
  if (!parsed.success) {
    throw new McpworksError('invalid_request', {
      data: { problems: parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })) },
    })
  }
  // The contract's schema of this name produced the value; the compiler cannot follow the name from table to table.
  const handler = handlers[name] as (input: unknown, invocation: Invocation, signal: AbortSignal) => Promise<JsonObject>
  return handler(parsed.data, invocation, signal)
}

function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(operations, name)
}

function refusalOf(error: McpworksError): ActOutcome {
  const { code, message, data } = error
  return { status: 'protocol-error', rpcCode: errorTable[code].rpc, message, data: { code, ...jsonOf(data) } }
}

function jsonOf(data: McpworksError['data']): JsonObject {
  return data === undefined ? {} : (JSON.parse(JSON.stringify(data)) as JsonObject)
}
