import { errors } from 'oidc-provider'
import { McpworksError } from '../../kernel/index.ts'

/**
 * Waits for work that stands on the log and the store. Where they cannot be written nothing is issued, and the client
 * is told to try again.
 */
export async function orUnavailable<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw error instanceof McpworksError ? unavailable(error) : error
  }
}

function unavailable(cause: McpworksError): Error {
  const error = new errors.TemporarilyUnavailable(cause.message)
  return Object.assign(error, { status: 503, statusCode: 503, expose: true, cause })
}
