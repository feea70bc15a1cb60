import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { McpworksError } from '../../kernel/index.ts'
import { createCedarPolicyEngine } from '../../policy/index.ts'
import { openDecisionReader } from '../../storage/index.ts'
import { replayDecisions } from './replay-decisions.ts'
import type { ReplayMessage, ReplayThreadData } from './replay-protocol.ts'

/** How long a replay goes on, in milliseconds. Clients wait five minutes for an answer. */
const longestMs = 240_000
/** How much the thread stands back behind those that answer callers. Linux keeps this number per thread. */
const niceness = 10

const job = workerData as ReplayThreadData
setPriority(0, niceness)
post(await run().catch(failed))

/** An engine of its own, in a thread of its own: whatever these policies do to it, it is not the one that decides. */
async function run(): Promise<ReplayMessage> {
  const { namespace, sources, vocabulary, onMisfit, definitions, sinceMs, maxDecisions } = job
  const engine = createCedarPolicyEngine()
  const check = engine.install(sources, vocabulary, onMisfit)
  if (!check.ok) return { kind: 'refused', problems: check.problems }
  const reader = openDecisionReader(job)
  const until = performance.now() + longestMs
  try {
    const hashes = new Map(definitions)
    const tools = new Map(
      vocabulary.tools.map(({ name, service, inputSchema }) => [
        name,
        { service, inputSchema, definitionHash: hashes.get(name) ?? '' },
      ]),
    )
    const scope = { namespace, sinceMs, maxDecisions, tools }
    const report = await replayDecisions(
      engine,
      reader,
      scope,
      async () => Atomics.load(job.stop, 0) === 0 && performance.now() < until,
    )
    if (!engine.isWorking()) return { kind: 'broken' }
    return { kind: 'done', check, report }
  } finally {
    await reader.close()
  }
}

/** Classes do not survive the way between threads; codes do. */
function failed(error: unknown): ReplayMessage {
  if (error instanceof McpworksError) return { kind: 'failed', code: error.code }
  throw error
}

function post(message: ReplayMessage): void {
  parentPort?.postMessage(message)
}
