import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Operation, OperationFile } from '../../contract/index.ts'
import type { Effect, Gateway } from '../../gateway/index.ts'
import {
  errorTable,
  isJsonObject,
  SecretText,
  type Caller,
  type ErrorCode,
  type JsonObject,
} from '../../kernel/index.ts'
import type { HttpConfig } from '../config.ts'
import { isJsonContent } from '../content-type.ts'
import { parseJson } from '../parse-json.ts'
import { readBody } from '../read-body.ts'
import type { RequestHead } from '../request-head.ts'
import { abandonBody, sendBytes, sendError, sendJson } from '../respond.ts'

/** An authenticated request to a route of the management API. */
export interface AdminRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  readonly caller: Caller
  readonly operation: Operation
  readonly parameters: Readonly<Record<string, string>>
  readonly refused: (code: ErrorCode, reason: string) => void
}

/** Where operations without a namespace belong, and their records go. */
const platformNamespace = 'platform'

type Input =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly code: ErrorCode; readonly message?: string }

/**
 * Serves one operation of the management API: path, query and body members are put together (the same name twice is
 * refused), checked by the operation's schema, and go through the pipeline as an effect like any other.
 */
export async function serveOperation(
  call: AdminRequest,
  services: { readonly gateway: Gateway; readonly config: HttpConfig },
): Promise<void> {
  const { operation, response } = call
  const input = await readInput(call, services.config)
  if (input === null) return
  if (!input.ok) {
    call.refused(input.code, input.message ?? errorTable[input.code].message)
    return sendError(response, input.code, input.message === undefined ? {} : { message: input.message })
  }
  const parsed = operation.input.safeParse(input.value)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({
      path: issue.path.map(String).join('.'),
      message: issue.message,
    }))
    return sendError(response, 'invalid_request', {
      message: `${operation.name} was not given what it needs.`,
      members: { problems },
    })
  }
  const namespace = call.parameters.namespace ?? platformNamespace
  // A log is not begun for a name that somebody mistyped; applying a directory is what makes a namespace.
  const makesIt = operation.name === 'state.apply' || namespace === platformNamespace
  if (!makesIt && !services.gateway.mayEnter(call.caller, namespace)) {
    call.refused('unknown_object', 'namespace')
    const message = `There is no namespace ${namespace}. Make it with: mcpworks apply -f DIRECTORY`
    return sendError(response, 'unknown_object', { message })
  }
  const aborter = new AbortController()
  response.once('close', () => aborter.abort())
  const answer = await services.gateway.perform(
    {
      caller: call.caller,
      namespace,
      door: 'management',
      effect: effectOf(operation, parsed.data as JsonObject),
      facts: { method: operation.name, protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: aborter.signal, log: () => {}, progress: () => {} },
  )
  switch (answer.status) {
    case 'ok':
      return operation.file === undefined
        ? sendJson(response, 200, answer.result)
        : sendFile(response, operation.file, answer.result)
    case 'denied':
      return sendError(response, 'denied', {
        message: `Refused by policy: ${answer.message}`,
        members: { call: answer.call, rules: answer.rules, remedy: answer.remedy },
      })
    case 'unknown':
      return sendError(response, 'unknown_object', { message: answer.message })
    case 'invalid':
      return sendError(response, 'invalid_request', {
        message: answer.message,
        members: { call: answer.call, problems: answer.problems },
      })
    case 'unavailable':
      return sendError(response, answer.code, { message: answer.message, members: { call: answer.call } })
    case 'protocol-error':
      return sendError(response, codeOf(answer.data), {
        message: answer.message,
        members: { ...answer.data, call: answer.call },
      })
    case 'input-required':
      return sendError(response, 'invalid_request', {
        message: 'This needs an answer from a person and cannot be done here.',
        members: { call: answer.call },
      })
  }
}

/** Sends what the handler gave as a file. */
function sendFile(response: ServerResponse, file: OperationFile, { content }: JsonObject): void {
  if (typeof content !== 'string') throw new TypeError('an operation whose answer is a file gave none')
  sendBytes(response, Buffer.from(content, file.encoding), {
    'Content-Type': file.mediaType,
    'Cache-Control': file.cacheControl,
    // What one caller may read another may not: the credential is a part of what the answer depends on.
    Vary: 'Authorization, Cookie, DPoP',
  })
}

/** The effect of an operation, with its secret apart from what is recorded. */
function effectOf({ name, effect, secret }: Operation, input: JsonObject): Effect {
  if (effect !== 'manage' || secret === undefined) return { kind: effect, operation: name, arguments: input }
  const { [secret]: value, ...rest } = input
  return { kind: 'manage', operation: name, arguments: rest, secret: new SecretText(String(value)) }
}

/** Management operations refuse with a code of the error table in `data.code`. */
function codeOf(data: JsonObject | null): ErrorCode {
  const code = data?.code
  return typeof code === 'string' && Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'invalid_request'
}

/** `null` where the client left. */
async function readInput(call: AdminRequest, config: HttpConfig): Promise<Input | null> {
  const { head, request, response } = call
  const members = new Map<string, JsonObject[string]>(Object.entries(call.parameters))
  for (const [name, value] of new URLSearchParams(head.query)) {
    if (members.has(name)) return { ok: false, code: 'invalid_request', message: `${name} is given twice.` }
    members.set(name, value)
  }
  if (call.operation.method === 'POST') {
    if (!isJsonContent(head)) {
      abandonBody(request, response)
      return { ok: false, code: 'unsupported_media_type' }
    }
    const body = await readBody(request, config.maxBodyBytes)
    if (!body.ok && body.reason === 'aborted') return null
    if (!body.ok) {
      abandonBody(request, response)
      return { ok: false, code: 'body_too_large' }
    }
    const parsed = parseJson(body.bytes, config.maxJsonDepth)
    if (!parsed.ok) return { ok: false, code: 'invalid_json', message: `The body cannot be read: ${parsed.message}.` }
    if (!isJsonObject(parsed.value))
      return { ok: false, code: 'invalid_request', message: 'The body must be a JSON object.' }
    for (const [name, value] of Object.entries(parsed.value)) {
      if (members.has(name)) return { ok: false, code: 'invalid_request', message: `${name} is given twice.` }
      members.set(name, value)
    }
  } else {
    abandonBody(request, response)
  }
  return { ok: true, value: Object.fromEntries(members) }
}
