import { operations, type Operation, type OperationFile, type OperationName } from '../contract/index.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'
import { CliError } from './cli-error.ts'
import type { Connection } from './connection.ts'
import { exitCode } from './exit-code.ts'

/** The management API as functions. */
export interface ApiClient {
  /** Carries out one operation of the contract. @throws CliError with the server's own sentence. */
  call(name: OperationName, input: JsonObject): Promise<JsonObject>
}

/** A client for one server. Follows no redirect: a credential goes where it was meant to go or nowhere. */
export function createApiClient(connection: Connection): ApiClient {
  return {
    async call(name, input) {
      const operation: Operation = operations[name]
      const rest = { ...input }
      const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, key: string) => {
        const value = rest[key]
        delete rest[key]
        const text = encodeURIComponent(String(value))
        return key === operation.spans ? text.replaceAll('%2F', '/') : text
      })
      const query = operation.method === 'GET' ? queryOf(rest) : ''
      return request(
        connection,
        operation.method,
        `${path}${query}`,
        operation.method === 'POST' ? rest : null,
        operation.file,
      )
    },
  }
}

/** Sends one request with the credential and gives the JSON answer; an error answer becomes a CliError. */
async function request(
  connection: Connection,
  method: string,
  path: string,
  body: JsonObject | null,
  file: OperationFile | undefined,
): Promise<JsonObject> {
  const response = await send(connection, path, {
    method,
    headers: { accept: 'application/json', ...(body === null ? {} : { 'content-type': 'application/json' }) },
    body: body === null ? null : JSON.stringify(body),
  })
  if (response.ok && file !== undefined)
    return { content: Buffer.from(await response.arrayBuffer()).toString(file.encoding) }
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok && isJsonObject(answer)) return answer
  const error: JsonObject = isJsonObject(answer) && isJsonObject(answer.error) ? answer.error : {}
  const message = typeof error.message === 'string' ? error.message : `The server answered ${response.status}.`
  throw new CliError(exitCode.failed, withProblems(message, error.problems), null, {
    status: response.status,
    ...error,
  })
}

/**
 * One HTTP request to the server with the credential.
 * @throws CliError `unreachable` where nobody answers.
 */
export async function send(connection: Connection, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${connection.url}${path}`, {
      ...init,
      redirect: 'error',
      headers: {
        ...Object.fromEntries(new Headers(init.headers)),
        authorization: `Bearer ${connection.apiKey}`,
        'user-agent': 'mcpworks-cli',
      },
    })
  } catch {
    throw new CliError(exitCode.unreachable, `No server answers at ${connection.url}.`, 'Start one with: npm start')
  }
}

/** A public JSON document, read without a credential and without following redirects; `null` where nobody answers. */
export async function readPublic(url: string): Promise<{ status: number; body: JsonObject | null } | null> {
  try {
    const response = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.timeout(5000),
      headers: { accept: 'application/json', 'user-agent': 'mcpworks-cli' },
    })
    const body: unknown = await response.json().catch(() => null)
    return { status: response.status, body: isJsonObject(body) ? body : null }
  } catch {
    return null
  }
}

function queryOf(values: JsonObject): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(values)) if (value !== null) query.set(key, String(value))
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

function withProblems(message: string, problems: JsonValue | undefined): string {
  if (!Array.isArray(problems)) return message
  return [message, ...problems.map((problem) => `  ${problemLine(problem)}`)].join('\n')
}

/** One line for a problem in a file (`file:line:column: message`) or in a request (`path: message`). */
export function problemLine(problem: JsonValue): string {
  if (!isJsonObject(problem)) return String(problem)
  const place = [problem.file ?? problem.path, problem.line, problem.column].filter(
    (part) => part !== null && part !== undefined && part !== '',
  )
  const hint = typeof problem.hint === 'string' && problem.hint !== '' ? ` (${problem.hint})` : ''
  return `${place.length > 0 ? `${place.join(':')}: ` : ''}${String(problem.message)}${hint}`
}
