import { setTimeout as pause } from 'node:timers/promises'
import {
  findRemoval,
  makeCallProof,
  proveCosigned,
  removalSentence,
  startSentence,
  type CallProof,
  type CosignatureStore,
  type DecisionLog,
  type RecordProver,
  type RecordQuery,
  type StoredRecord,
  type TreeReader,
} from '../../audit/index.ts'
import type { OperationInput } from '../../contract/index.ts'
import { isJsonObject, McpworksError, type Clock, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'
import { withoutReads } from './reads-of-log.ts'

type AuditHandlers = Pick<Handlers, 'audit.tail' | 'audit.why' | 'audit.prove'>

/** What the audit folder makes of the records of one call: the structured page and its text. */
export type ExplainCall = (namespace: string, call: string) => Promise<{ page: JsonObject; text: string } | null>

/** Reading the decision log. Reading is an effect too: each read is decided and recorded. */
export function auditHandlers(
  decisionLog: DecisionLog & RecordProver,
  clock: Clock,
  explainCall: ExplainCall,
  witnessed: Witnessed,
): AuditHandlers {
  return {
    async 'audit.tail'(input, _invocation, signal) {
      const deadline = clock.monotonicMs() + input.waitSeconds * 1000
      let found = await readTail(decisionLog, input, signal)
      while (found.records.length === 0 && clock.monotonicMs() < deadline && !signal.aborted) {
        await pause(pollMs)
        found = await readTail(decisionLog, { ...input, after: found.lastIndex }, signal)
      }
      const records = await Promise.all(found.records.map((record) => summarise(decisionLog, record)))
      return { records, lastIndex: found.lastIndex }
    },
    async 'audit.why'({ namespace, call }) {
      const explained = await explainCall(namespace, call)
      if (explained === null) {
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no record of call ${call}.` })
      }
      return { ...explained.page, text: explained.text }
    },
    async 'audit.prove'({ namespace, call }, _invocation, signal) {
      const records = await decisionLog.read({ namespace, call, withoutText: true, limit: maxProvenRecords })
      if (records.length === 0) {
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no record of call ${call}.` })
      }
      const gone = records.find(({ json }) => json === '')
      if (gone !== undefined) {
        const removal = removalSentence(await findRemoval(decisionLog, gone, { part: 'text' }))
        throw new McpworksError('unknown_object', {
          message: `The text of the ${gone.kind} of call ${call} ${removal}. What it said cannot be proven; "mcpworks why ${call}" proves that it was there.`,
        })
      }
      const deadline = clock.monotonicMs() + checkpointDueMs
      const keyChanges = await witnessed.trees.keyChanges()
      let proof = await proofOf(decisionLog, call, records, keyChanges, witnessed)
      while (proof === null && clock.monotonicMs() < deadline && !signal.aborted) {
        await pause(pollMs)
        proof = await proofOf(decisionLog, call, records, keyChanges, witnessed)
      }
      if (proof === null)
        throw new McpworksError('audit_unavailable', { message: 'The records of this call are not signed yet.' })
      return { ...proof }
    },
  }
}

/** A call has a decision and an outcome, and perhaps `abandoned`. */
const maxProvenRecords = 10
/** A checkpoint is signed after a second with new records. */
const checkpointDueMs = 5_000

/** Where cosignatures of checkpoints are, and the trees that they are of. */
export interface Witnessed {
  readonly trees: TreeReader
  readonly cosignatures: Pick<CosignatureStore, 'list'>
}

async function proofOf(
  log: RecordProver,
  call: string,
  records: readonly StoredRecord[],
  keyChanges: readonly string[],
  { trees, cosignatures }: Witnessed,
): Promise<CallProof | null> {
  const proven = []
  for (const stored of records) {
    const proof = await log.prove(stored.id)
    if (proof === null) return null
    proven.push({ stored, proof: proof.checkpoint === null ? proof : await proveCosigned(proof, trees, cosignatures) })
  }
  return makeCallProof(call, proven, keyChanges)
}

/** How often a waiting read looks again. */
const pollMs = 200

/** The newest records, or those after an index, in the order of writing, with the index up to which was looked. */
async function readTail(
  log: Pick<DecisionLog, 'read'>,
  input: OperationInput<'audit.tail'>,
  signal: AbortSignal,
): Promise<{ records: StoredRecord[]; lastIndex: number }> {
  const { after, limit } = input
  if (after !== undefined) {
    const found = await log.read({ ...filterOf(input), limit, afterIndex: after })
    return { records: await shown(log, input, found), lastIndex: found.at(-1)?.index ?? after }
  }
  const records: StoredRecord[] = []
  let lastIndex = -1
  let before: number | null = null
  // Reads of the log are left out, so that the newest few of the rest can lie further back: how far is bounded, because
  // whoever follows the trees of the log makes nothing but reads.
  for (let pages = 0; pages < mostPages && records.length < limit && !signal.aborted; pages++) {
    const filter = { ...filterOf(input), limit: pageRecords, descending: true }
    const page: StoredRecord[] = await log.read(before === null ? filter : { ...filter, afterIndex: before })
    if (page.length === 0) break
    lastIndex = Math.max(lastIndex, page[0]?.index ?? -1)
    before = page.at(-1)?.index ?? null
    records.push(...(await shown(log, input, page)))
    if (page.length < pageRecords) break
  }
  return { records: records.slice(0, limit).toReversed(), lastIndex }
}

const pageRecords = 200
/** Pages that are looked through for records that are no reads. */
const mostPages = 50

function filterOf({ namespace, kind, principal }: OperationInput<'audit.tail'>): Omit<RecordQuery, 'limit'> {
  return {
    namespace,
    withoutText: true,
    ...(kind === undefined ? {} : { kinds: [kind] }),
    ...(principal === undefined ? {} : { principal }),
  }
}

async function shown(
  log: Pick<DecisionLog, 'read'>,
  { namespace, reads }: OperationInput<'audit.tail'>,
  found: readonly StoredRecord[],
): Promise<StoredRecord[]> {
  return reads ? [...found] : withoutReads(log, namespace, found)
}

async function summarise(log: Pick<DecisionLog, 'read'>, stored: StoredRecord): Promise<JsonObject> {
  const isGone = stored.json === ''
  const parsed: unknown = isGone ? null : JSON.parse(stored.json)
  const time = new Date(stored.timeMs).toISOString()
  const record = isJsonObject(parsed) ? parsed : { time }
  return {
    index: stored.index,
    id: stored.id,
    time,
    kind: stored.kind,
    call: stored.call,
    summary: isGone
      ? `its text ${removalSentence(await findRemoval(log, stored, { part: 'text' }))}`
      : sentenceOf(stored.kind, record),
    record,
  }
}

/** What a record says, in a few words. */
function sentenceOf(kind: string, record: JsonObject): string {
  const pre = objectAt(record, 'pre')
  const principal = String(objectAt(pre, 'principal').id ?? '')
  const tool = String(objectAt(pre, 'target').tool ?? '')
  if (kind === 'decision') {
    const decision = objectAt(record, 'decision')
    const parent = typeof record.parent_call === 'string' ? `, for call ${record.parent_call}` : ''
    return `${String(decision.effect)} (${String(decision.basis)})  ${principal} -> ${tool}${parent}`
  }
  if (kind === 'outcome') {
    const outcome = objectAt(record, 'outcome')
    return `${String(outcome.status)}${typeof outcome.detail === 'string' ? ` (${outcome.detail})` : ''}  ${String(outcome.duration_ms)} ms`
  }
  const event = objectAt(record, 'event')
  if (kind === 'start') return startSentence(event) ?? JSON.stringify(event)
  return event.type === 'shadow-decisions' ? shadowSentence(event) : JSON.stringify(event)
}

/** Such a record names a hundred calls: their number is enough here. */
function shadowSentence({ policy_set: policySet, same, differences }: JsonObject): string {
  const count = (list: JsonValue | undefined): number => (Array.isArray(list) ? list.length : 0)
  return `${String(policySet)} was tried: ${count(same)} calls come out the same, ${count(differences)} otherwise`
}

function objectAt(value: JsonObject, key: string): JsonObject {
  const member = value[key]
  return isJsonObject(member) ? member : {}
}
