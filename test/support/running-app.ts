import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, start, type RunningApp } from '../../src/app/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import { operations } from '../../src/contract/index.ts'
import type { GuardedFetch } from '../../src/egress/index.ts'
import type { CatalogueEntry } from '../../src/gateway/index.ts'
import { isJsonObject, type Clock, type JsonObject } from '../../src/kernel/index.ts'

/** The whole product on a data directory of its own, over real HTTP and with the real sandbox. */
export interface TestApp extends AsyncDisposable {
  readonly app: RunningApp
  readonly dataDirectory: string
  /** A management operation as the operator, through the pipeline. Rejects where it is refused. */
  manage(namespace: string, operation: string, args: JsonObject): Promise<JsonObject>
  /** Applies files (path to text) to a namespace. */
  apply(namespace: string, files: Record<string, string>): Promise<JsonObject>
  key(namespace: string, agent: string): Promise<string>
  /** `tools/call` over HTTP; answers the JSON-RPC message and the status. */
  call(
    apiKey: string,
    namespace: string,
    tool: string,
    args: JsonObject,
  ): Promise<{ status: number; message: JsonObject }>
  list(apiKey: string, namespace: string): Promise<string[]>
  close(): Promise<void>
}

/** Which effect each management operation has. */
const effects = new Map<string, 'manage' | 'approve' | 'audit'>(
  Object.values(operations).map(({ name, effect }) => [name, effect]),
)

/** Settings by path: `{'http.maxBodyBytes': '2048'}`. */
export type TestSettings = Readonly<Record<string, string>>

/** Tests present bad credentials by the hundred; those of the limits set their own. */
const manyMistakes: TestSettings = {
  'auth.limits.failuresPerMinute': '100000',
  'auth.limits.keyFailuresPerMinute': '100000',
}

/** Starts the product on `dataDirectory`, or on a new one that is removed at the end. */
export async function startTestApp(
  options: {
    settings?: TestSettings
    /** What `mcpworks.yaml` holds, for what cannot be said in one line of text. */
    configuration?: JsonObject
    dataDirectory?: string
    entries?: readonly CatalogueEntry[]
    guardedFetch?: GuardedFetch
    clock?: Clock
    acceptOlderLog?: boolean
    onStandby?: (place: { readonly active: string; readonly url: string }) => void
  } = {},
): Promise<TestApp> {
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'mcpworks-test-')))
  if (options.configuration !== undefined)
    await writeFile(join(dataDirectory, 'mcpworks.yaml'), JSON.stringify(options.configuration))
  const loaded = loadConfig({
    env: {},
    flags: { dataDirectory, 'http.port': '0', 'log.level': 'error', ...manyMistakes, ...options.settings },
    file: null,
    cwd: dataDirectory,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const app = await start({
    config: loaded.config,
    log: createLog('error'),
    version: '0.0.0',
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.entries === undefined ? {} : { entries: options.entries }),
    ...(options.guardedFetch === undefined ? {} : { guardedFetch: options.guardedFetch }),
    ...(options.acceptOlderLog === undefined ? {} : { acceptOlderLog: options.acceptOlderLog }),
    ...(options.onStandby === undefined ? {} : { onStandby: options.onStandby }),
  })

  async function manage(namespace: string, operation: string, args: JsonObject): Promise<JsonObject> {
    const answer = await app.gateway.perform(
      {
        caller: app.operator,
        namespace,
        door: 'management',
        effect: { kind: effects.get(operation) ?? 'manage', operation, arguments: args },
        facts: { method: operation, protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
      },
      { signal: new AbortController().signal, log: () => {}, progress: () => {} },
    )
    if (answer.status !== 'ok') throw new Error(JSON.stringify(answer))
    return answer.result
  }

  async function close(): Promise<void> {
    await app.close()
    if (options.dataDirectory === undefined) await rm(dataDirectory, { recursive: true, force: true })
  }

  return {
    app,
    dataDirectory,
    manage,
    apply: (namespace, files) =>
      manage(namespace, 'state.apply', {
        namespace,
        dryRun: false,
        files: Object.entries(files).map(([path, text]) => ({ path, text })),
      }),
    key: async (namespace, agent) =>
      String(
        (await manage(namespace, 'key.create', { namespace, agent, label: 'test', expiresInSeconds: null })).apiKey,
      ),
    call: (apiKey, namespace, tool, args) =>
      mcp(app.url, apiKey, namespace, 'tools/call', { name: tool, arguments: args }),
    async list(apiKey, namespace) {
      const { message } = await mcp(app.url, apiKey, namespace, 'tools/list', {})
      const result = isJsonObject(message.result) ? message.result : {}
      return Array.isArray(result.tools)
        ? result.tools.map((tool) => (isJsonObject(tool) ? String(tool.name) : ''))
        : []
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** One MCP 2026-07-28 request over HTTP. The answer is the JSON body, or the last message of an event stream. */
export async function mcp(
  url: string,
  apiKey: string,
  namespace: string,
  method: string,
  params: JsonObject,
): Promise<{ status: number; message: JsonObject }> {
  const response = await fetch(`${url}/mcp/${namespace}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof params.name === 'string' ? { 'mcp-name': params.name } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  })
  const text = await response.text()
  const json = text.startsWith('{')
    ? text
    : (text
        .split('\n')
        .findLast((line) => line.startsWith('data: {'))
        ?.slice('data: '.length) ?? '{}')
  return { status: response.status, message: JSON.parse(json) as JsonObject }
}

/** The text of a `CallToolResult` and whether it is an error. */
export function toolResult(message: JsonObject): { text: string; isError: boolean; call: string } {
  const result = isJsonObject(message.result) ? message.result : {}
  const content = Array.isArray(result.content) ? result.content : []
  const meta = isJsonObject(result._meta) ? result._meta : {}
  return {
    text: content.map((part) => (isJsonObject(part) ? String(part.text) : '')).join('\n'),
    isError: result.isError === true,
    call: String(meta['mcpworks/call']),
  }
}
