import { findRemoval, removalSentence, type DecisionLog, type StoredRecord } from '../../audit/index.ts'
import type { FunctionStore } from '../../functions/index.ts'
import type { Backend, Catalogue } from '../../gateway/index.ts'
import { McpworksError, toolName, type Digest } from '../../kernel/index.ts'
import { builtInPolicies, policySetHash, type PolicySource, type PolicyStore } from '../../policy/index.ts'
import { functionEntry } from '../function-entry.ts'
import type { DecisionCase, DecisionCases } from './decision-cases.ts'
import { recordedVerdict, type RecordedVerdict } from './recorded-verdict.ts'

/** What decisions are made again from. */
export interface DecisionCasePorts {
  readonly decisionLog: Pick<DecisionLog, 'read' | 'readBody'>
  readonly policyStore: Pick<PolicyStore, 'find' | 'listActivations' | 'listBuiltIn'>
  readonly functionStore: Pick<FunctionStore, 'listVersions' | 'findVersion'>
  readonly catalogue: Pick<Catalogue, 'resolve'>
}

/** Which decisions: one call's, or those below a position in the log, the newest first. */
export type CaseSelection = { readonly call: string } | { readonly before: number | null; readonly limit: number }

/**
 * Recorded decisions with the engine's exact input, the policy sets and the tools that they name. What is not there any
 * more (a policy set of a version of the platform that kept none, a tool that was removed, a body that was not kept) is left
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
    const gone = 'call' in selection && engineInput === null ? await goneOf(record, verdict, decisionLog) : null
    cases.push({ index: record.index, record: record.json, engineInput, gone })
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
    const records = await log.read({ namespace, call, kinds: ['decision'], withoutText: true, limit: 1 })
    if (records.length === 0)
      throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no record of call ${call}.` })
    return records
  }
  const { before, limit } = selection
  const place = before === null ? {} : { afterIndex: before }
  return log.read({ namespace, kinds: ['decision'], descending: true, limit, ...place })
}

/** What became of the text, or of the engine's input that was kept; `null` where that was not. */
async function goneOf(
  record: StoredRecord,
  verdict: RecordedVerdict | null,
  log: DecisionCasePorts['decisionLog'],
): Promise<string | null> {
  if (record.json === '')
    return `The text of the record ${removalSentence(await findRemoval(log, record, { part: 'text' }))}.`
  if (verdict === null || verdict.decision.request_hash === null) return null
  const principal = verdict.pre.principal.id
  return `The input of the engine ${removalSentence(await findRemoval(log, record, { part: 'body', principal }))}.`
}

async function policySetsOf(
  namespace: string,
  named: readonly RecordedVerdict[],
  store: DecisionCasePorts['policyStore'],
): Promise<DecisionCases['policySets']> {
  const found: DecisionCases['policySets'] = []
  for (const hash of new Set(named.map(({ decision }) => decision.policy_set_hash))) {
    const policies = hash === null ? null : await policiesOfThen(namespace, hash as Digest, store)
    if (hash !== null && policies !== null) found.push({ policySetHash: hash, ...policies })
  }
  return found
}

/** A policy set that is not in force any more: its files, and the platform's own policies of then. */
export type PoliciesOfThen = Pick<DecisionCases['policySets'][number], 'sources' | 'builtIn'>

/**
 * A set by the hash that a record names it with. Sets are kept under the hash of the day on which they were put in
 * force; with other policies of the platform's own the same files have another, so those of each version that was
 * started are tried.
 */
export async function policiesOfThen(
  namespace: string,
  hash: Digest,
  store: DecisionCasePorts['policyStore'],
): Promise<PoliciesOfThen | null> {
  const versions = new Set([builtInPolicies, ...(await store.listBuiltIn())])
  const copy = (sources: readonly PolicySource[]) => sources.map(({ file, text }) => ({ file, text }))
  const named = (sources: readonly PolicySource[]): PoliciesOfThen | null => {
    const builtIn = versions.values().find((version) => policySetHash(sources, version) === hash)
    return builtIn === undefined ? null : { sources: copy(sources), builtIn }
  }
  const own = named([])
  if (own !== null) return own
  const stored = await store.find(namespace, hash)
  if (stored !== null) return named(stored.sources)
  const others = new Set((await store.listActivations(namespace)).map((activation) => activation.policySetHash))
  for (const other of others) {
    const sources = (await store.find(namespace, other))?.sources
    const found = sources === undefined ? null : named(sources)
    if (found !== null) return found
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
