// A process whose agents call a tool through the pipeline as fast as they can. Made to be killed.
// Argument: what storage is opened with, as JSON. What it says on stdout, one JSON line each, was so before the next thing
// happened: `opening`, `opened`, then `ran` with the id of a call whose effect took place, and `answered` with its id.
import { writeSync } from 'node:fs'
import { gatewayConfigSchema } from '../../src/gateway/config.ts'
import {
  createGateway,
  createMemoryCatalogue,
  openRunLedger,
  openUsageLedger,
  type GatewayRequest,
} from '../../src/gateway/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { createCedarPolicyEngine } from '../../src/policy/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { textOutcome, toolEntry } from './echo-entries.ts'

/** One write call a line, past every buffer of this process: what the parent can read happened before the kill. */
function say(line: unknown): void {
  for (;;) {
    try {
      writeSync(1, `${JSON.stringify(line)}\n`)
      return
    } catch (error) {
      // The parent has not read yet and the pipe is full.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
  }
}

const namespaces = ['even', 'odd']
const callers = 16
const failed = (error: unknown): never => {
  throw error
}

say({ state: 'opening' })
const storage = await openStorage({ ...JSON.parse(process.argv[2] ?? '{}'), clock: systemClock })
const catalogue = createMemoryCatalogue()
const policy = createCedarPolicyEngine()
for (const namespace of namespaces) {
  catalogue.addNamespace(namespace)
  const entry = toolEntry(
    'mark',
    ({ call }) => {
      say({ ran: call })
      return textOutcome(call)
    },
    namespace,
  )
  catalogue.replaceService(namespace, entry.service, [entry])
  const tools = [{ service: 'mark', name: 'mark', inputSchema: { type: 'object' } }]
  const { ok } = policy.install(
    [{ file: 'a.cedar', text: 'permit (principal, action == Action::"call", resource);' }],
    { namespace, tools },
  )
  if (!ok) throw new Error('the policy of this test does not fit')
}
const usage = await openUsageLedger({
  store: storage.usageCounters,
  log: storage.decisionLog,
  namespaces,
  clock: systemClock,
  maxCounters: 100,
  onFailure: failed,
})
const runs = await openRunLedger({ store: storage.runs, clock: systemClock, idleMs: 60_000, onFailure: failed })
const gateway = createGateway(
  {
    catalogue,
    policy,
    decisionLog: storage.decisionLog,
    schemas: { check: () => [] },
    management: { act: () => Promise.reject(new Error('nothing is managed here')) },
    sandbox: () => null,
    notify: () => {},
    recording: { level: () => 'request_response' },
    refresh: (caller) => caller,
    runs,
    usage,
    approvals: { seek: () => Promise.reject(new Error('nothing asks for approval here')), about: async () => null },
    shadow: { watches: () => false, observe: () => {} },
    withdrawals: { isWithdrawn: () => false, isClosed: () => false, onChange: () => () => {} },
    clock: systemClock,
    config: gatewayConfigSchema.parse({}),
  },
  (_, error) => failed(error),
)
say({ state: 'opened' })

function request(caller: number): GatewayRequest {
  const name = `agent-${caller}`
  const namespace = namespaces[caller % 2] ?? ''
  return {
    caller: {
      principal: { type: 'agent', id: `${namespace}/${name}`, name, namespace, groups: [] },
      authentication: {
        method: 'api-key',
        credentialId: name,
        senderConstrained: false,
        expiresAtMs: null,
        scopes: ['mcp'],
      },
      client: { address: '127.0.0.1', claimedName: null },
    },
    namespace,
    door: 'tool',
    effect: { kind: 'call', tool: 'mark', arguments: { text: 'x'.repeat(200) }, resume: null },
    facts: { method: 'tools/call', protocolVersion: '2026-07-28', requestId: '1', trace: null, clientCapabilities: {} },
  }
}

const events = { signal: new AbortController().signal, log: () => {}, progress: () => {} }
const work = async (caller: number): Promise<never> => {
  for (;;) {
    const answer = await gateway.perform(request(caller), events)
    say(answer.status === 'ok' ? { answered: answer.call } : { refused: answer })
  }
}
await Promise.all(Array.from({ length: callers }, (_, caller) => work(caller)))
