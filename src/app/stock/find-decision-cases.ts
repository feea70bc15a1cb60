import type { DecisionLog, StoredRecord } from '../../audit/index.ts'
import type { FunctionStore } from '../../functions/index.ts'
import type { Backend, Catalogue } from '../../gateway/index.ts'
import { McpworksError, toolName, type Digest } from '../../kernel/index.ts'
import { policySetHash, type PolicySource, type PolicyStore } from '../../policy/index.ts'
import { functionEntry } from '../function-entry.ts'
import type { DecisionCase, DecisionCases } from './decision-cases.ts'
import { recordedVerdict, type RecordedVerdict } from './recorded-verdict.ts'

/** What decisions are made again from. */
export interface DecisionCasePorts {
  readonly decisionLog: Pick<DecisionLog, 'read' | 'readBody'>
  readonly policyStore: Pick<PolicyStore, 'find' | 'listActivations'>
  readonly functionStore: Pick<FunctionStore, 'listVersions' | 'findVersion'>
  readonly catalogue: Pick<Catalogue, 'resolve'>
}

/** Which decisions: one call's, or those below a position in the log, the newest first. */
export type CaseSelection = { readonly call: string } | { readonly before: number | null; readonly limit: number }

/**
 * Recorded decisions with the engine's exact input, the policy sets and the tools that they name. What is not there any
 * more (a policy set of another version of the platform, a tool that was removed, a body that was not kept) is left
 * out: whoever makes the decision again sees that it is missing, and says so.
 * @throws McpworksError `unknown_object` where the call has no decision
 */
export async function findDecisionCases(
  namespace: string,
  selection: CaseSelection,
  ports: DecisionCasePorts,
): Promise<DecisionCases> {
  const { decisionLog } = ports
  const records = await selected(namespace, selection, decisionLog)
  const cases: DecisionCase[] = []
  const named: RecordedVerdict[] = []
  for (const record of records) {
    const verdict = recordedVerdict(record.json)
    if (verdict !== null) named.push(verdict)
    const opened = await decisionLog.readBody(record.id, 'engine_input')
    const engineInput = opened === null ? null : { text: opened.body, salt: opened.salt }
    cases.push({ index: record.index, record: record.json, engineInput })
  }
  const last = 'call' in selection || records.length < selection.limit ? undefined : records.at(-1)
  return {
    namespace,
    cases,
    policySets: await policySetsOf(namespace, named, ports.policyStore),
    tools: await toolsOf(namespace, named, ports),
    before: last?.index ?? null,
  }
}

async function selected(
  namespace: string,
  selection: CaseSelection,
  log: DecisionCasePorts['decisionLog'],
): Promise<StoredRecord[]> {
  if ('call' in selection) {
    const { call } = selection
    const records = await log.read({ namespace, call, kinds: ['decision'], limit: 1 })
    if (records.length === 0)
      throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no record of call ${call}.` })
    return records
  }
  const { before, limit } = selection
  const place = before === null ? {} : { afterIndex: before }
  return log.read({ namespace, kinds: ['decision'], descending: true, limit, ...place })
}

async function policySetsOf(
  namespace: string,
  named: readonly RecordedVerdict[],
  store: DecisionCasePorts['policyStore'],
): Promise<DecisionCases['policySets']> {
  const found: DecisionCases['policySets'] = []
  for (const hash of new Set(named.map(({ decision }) => decision.policy_set_hash))) {
    const sources = hash === null ? null : await sourcesOf(namespace, hash as Digest, store)
    if (hash !== null && sources !== null) found.push({ policySetHash: hash, sources })
  }
  return found
}

/**
 * The files of a set by the hash that a record names it with. Sets are kept under the hash of the day on which they were
 * put in force; with a newer version of the platform's own policies the same files have another, so those are tried too.
 */
export async function sourcesOf(
  namespace: string,
  hash: Digest,
  store: DecisionCasePorts['policyStore'],
): Promise<{ file: string; text: string }[] | null> {
  const copy = (sources: readonly PolicySource[]) => sources.map(({ file, text }) => ({ file, text }))
  if (policySetHash([]) === hash) return []
  const stored = await store.find(namespace, hash)
  if (stored !== null) return copy(stored.sources)
  const tried = new Set((await store.listActivations(namespace)).map((activation) => activation.policySetHash))
  for (const other of tried) {
    const sources = (await store.find(namespace, other))?.sources
    if (sources !== undefined && policySetHash(sources) === hash) return copy(sources)
  }
  return null
}

async function toolsOf(
  namespace: string,
  named: readonly RecordedVerdict[],
  ports: DecisionCasePorts,
): Promise<DecisionCases['tools']> {
  const found = new Map<string, DecisionCases['tools'][number]>()
  for (const { pre } of named) {
    const { tool, service, definition_hash: hash } = pre.target
    if (hash === null || service === null || found.has(hash)) continue
    const inputSchema = await inputSchemaOf({ namespace, tool, service, hash }, ports)
    if (inputSchema !== null) found.set(hash, { definitionHash: hash, name: tool, service, inputSchema })
  }
  return [...found.values()]
}

interface WantedTool {
  readonly namespace: string
  readonly tool: string
  readonly service: string
  readonly hash: string
}

/** The schema of a tool's arguments in the definition that has this hash; `null` where there is none any more. */
export async function inputSchemaOf(
  { namespace, tool, service, hash }: WantedTool,
  { catalogue, functionStore }: Pick<DecisionCasePorts, 'catalogue' | 'functionStore'>,
): Promise<DecisionCases['tools'][number]['inputSchema'] | null> {
  const today = catalogue.resolve(namespace, 'tool', tool)
  if (today?.definitionHash === hash) return today.inputSchema
  const prefix = toolName(service, '')
  if (!tool.startsWith(prefix)) return null
  const name = tool.slice(prefix.length)
  for (const { versionHash } of await functionStore.listVersions(namespace, service, name)) {
    const version = await functionStore.findVersion(namespace, service, name, versionHash)
    if (version !== null && functionEntry(version, nothing).definitionHash === hash) return version.inputSchema
  }
  return null
}

/** Only the definition of such an entry is looked at. */
const nothing: Backend = {
  act: () => Promise.reject(new McpworksError('internal', { detail: 'a definition of the past was called' })),
}
