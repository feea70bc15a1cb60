import { createLog, start } from '../../../src/app/index.ts'
import { loadConfig } from '../../../src/config/index.ts'
import type { Backend, CatalogueEntry } from '../../../src/gateway/index.ts'
import { digestJson, type JsonObject } from '../../../src/kernel/index.ts'

const inputSchema: JsonObject = {
  type: 'object',
  properties: { text: { type: 'string' } },
  required: ['text'],
  additionalProperties: false,
}

const echo: Backend = {
  async act({ effect }) {
    const text = effect.kind === 'call' ? JSON.stringify(effect.arguments) : ''
    return { status: 'ok', result: { content: [{ type: 'text', text }] } }
  },
}

const noopSource = `def noop(input: dict) -> dict:
    """Does nothing.

    Args:
        input: anything
    """
    return {}
`

/** One agent calls as fast as it can: everything is counted, and nothing is refused. */
const unbounded = {
  'auth.limits.requestsPerMinute': '100000000',
  'auth.limits.agentRequestsPerMinute': '100000000',
  'auth.limits.namespaceRequestsPerMinute': '100000000',
  'auth.limits.agentCallsPerDay': '1000000000000',
  'auth.limits.namespaceCallsPerDay': '1000000000000',
}

/** The whole product with one echo tool in this process, one do-nothing function, one agent and `policyCount` policies. */
export async function startBenchApp(dataDirectory: string, policyCount: number) {
  const loaded = loadConfig({
    env: {},
    flags: { dataDirectory, 'http.port': '0', 'log.level': 'error', ...unbounded },
    file: null,
    cwd: dataDirectory,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const definition: JsonObject = { name: 'echo-say', description: 'Says it again.', inputSchema }
  const entry: CatalogueEntry = {
    kind: 'tool',
    namespace: 'bench',
    service: 'echo',
    name: 'echo-say',
    definition,
    definitionHash: digestJson(definition),
    inputSchema,
    outputSchema: null,
    codeHash: null,
    runtime: null,
    backend: echo,
  }
  const app = await start({ config: loaded.config, log: createLog('error'), version: '0', entries: [entry] })
  await apply(app, [
    { path: 'namespace.yaml', text: 'namespace: bench\nagents:\n  - name: caller\n    groups: [callers]\n' },
    { path: 'policies/bench.cedar', text: policies(policyCount) },
    { path: 'services/noop/noop.py', text: noopSource },
  ])
  const { text: apiKey } = await app.registry.createKey('bench/caller', {
    label: 'bench',
    scopes: ['mcp'],
    expiresAtMs: null,
  })
  return { endpoint: `${app.url}/mcp/bench`, apiKey, close: () => app.close() }
}

/** One permit that counts, one forbid that looks at the arguments, and the rest for other agents. */
function policies(count: number): string {
  const others = Array.from(
    { length: count - 2 },
    (_, index) =>
      `permit (principal == Agent::"bench/other-${index}", action == Action::"call", resource) when { context.door == "tool" };`,
  )
  return [
    'permit (principal == Agent::"bench/caller", action == Action::"call", resource);',
    '@reason("Not that word.")\nforbid (principal, action == Action::"call", resource == Tool::"bench/echo-say") when { context.args.text == "forbidden" };',
    ...others,
  ].join('\n')
}

async function apply(app: Awaited<ReturnType<typeof start>>, files: JsonObject[]): Promise<void> {
  const answer = await app.gateway.perform(
    {
      caller: app.operator,
      namespace: 'bench',
      door: 'management',
      effect: { kind: 'manage', operation: 'state.apply', arguments: { namespace: 'bench', files, dryRun: false } },
      facts: { method: 'state.apply', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
  if (answer.status !== 'ok') throw new Error(JSON.stringify(answer))
}
