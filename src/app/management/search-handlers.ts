import {
  buildCallTree,
  type CallTree,
  type LogSearch,
  type SearchField,
  type SearchFilter,
  type SearchHit,
} from '../../audit/index.ts'
import type { OperationInput } from '../../contract/index.ts'
import { McpworksError, type JsonValue } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'
import { asJson } from './policy-handlers.ts'

/** Calls that a tree has at most. */
const mostCalls = 1000
/** Calls inside calls; a server of ours stops at four. */
const mostLevels = 16
/** Searches that one tree takes at most: each waits until the index has what was written before it. */
const mostSearches = 200
/** Hits that are asked for at once. */
const hitsAtOnce = 200

/** Finding things in the log. Like every read of it, decided and recorded. */
export function searchHandlers(logSearch: Pick<LogSearch, 'search'>): Pick<Handlers, 'audit.search' | 'audit.tree'> {
  return {
    async 'audit.search'(input) {
      const { before, limit } = input
      return asJson(await logSearch.search({ ...filterOf(input), before: before ?? null, limit }))
    },
    async 'audit.tree'({ namespace, run }, _invocation, signal) {
      const found =
        (await callsOfRun(logSearch, namespace, run)) ?? (await callsAround(logSearch, namespace, run, signal))
      if (found === null)
        throw new McpworksError('unknown_object', {
          message: `Namespace ${namespace} has no run and no call ${run} in the index of its log.`,
        })
      const { hits, more, behind } = found
      return {
        namespace,
        run: hits[0]?.run ?? run,
        calls: buildCallTree(hits).map(treeJson),
        count: hits.length,
        more,
        behind,
      }
    },
  }
}

function filterOf(input: OperationInput<'audit.search'>): SearchFilter {
  const { namespace, agent, principal, call, text, since, until, reads } = input
  if (agent !== undefined && principal !== undefined)
    throw new McpworksError('invalid_request', { message: 'Name an agent or a principal, not both.' })
  const { tool, service, rule, effect, basis, status, label, door, kind, run, parent } = input
  const who = agent === undefined ? principal : `${namespace}/${agent}`
  const given = { agent: who, tool, service, rule, effect, basis, status, label, door, kind, run, parent }
  const fields: Partial<Record<SearchField, string>> = {}
  for (const [field, value] of Object.entries(given)) if (value !== undefined) fields[field as SearchField] = value
  return {
    namespace,
    fields,
    call: call ?? null,
    text,
    fromMs: since === undefined ? null : Date.parse(since),
    toMs: until === undefined ? null : Date.parse(until),
    reads,
  }
}

/** Calls, newest first, and whether there are more than could be taken. */
interface FoundCalls {
  readonly hits: SearchHit[]
  readonly more: boolean
  readonly behind: number
}

/** `null` where the run has no calls. */
async function callsOfRun(logSearch: Pick<LogSearch, 'search'>, namespace: string, run: string) {
  const found = await allCalls(logSearch, namespace, { run }, mostCalls)
  return found.hits.length === 0 ? null : found
}

/** The outermost call above a call, and everything below that; `null` where there is no such call. */
async function callsAround(
  logSearch: Pick<LogSearch, 'search'>,
  namespace: string,
  call: string,
  signal: AbortSignal,
): Promise<FoundCalls | null> {
  let top = await findCall(logSearch, namespace, call)
  if (top === null) return null
  for (let level = 0; level < mostLevels && top.parentCall !== null; level++) {
    const above = await findCall(logSearch, namespace, top.parentCall)
    if (above === null) break
    top = above
  }
  const hits = [top]
  let behind = 0
  let searches = 0
  for (let at = 0; at < hits.length && hits.length < mostCalls; at++) {
    const parent = hits[at]?.call ?? ''
    // A call that made none is known by its own record.
    if (hits[at]?.called?.innerCalls === 0 && hits[at]?.called?.status !== null) continue
    if (searches >= mostSearches || signal.aborted) return { hits, more: true, behind }
    searches += 1
    const below = await allCalls(logSearch, namespace, { parent }, mostCalls - hits.length)
    const known = new Set(hits.map((hit) => hit.call))
    hits.push(...below.hits.filter((hit) => !known.has(hit.call)))
    behind = Math.max(behind, below.behind)
  }
  return { hits, more: hits.length >= mostCalls, behind }
}

async function findCall(
  logSearch: Pick<LogSearch, 'search'>,
  namespace: string,
  call: string,
): Promise<SearchHit | null> {
  const { hits } = await logSearch.search({ ...everyRead(namespace), call, before: null, limit: 10 })
  return hits.find(({ called }) => called !== null) ?? null
}

async function allCalls(
  logSearch: Pick<LogSearch, 'search'>,
  namespace: string,
  fields: Partial<Record<SearchField, string>>,
  most: number,
): Promise<FoundCalls> {
  const hits: SearchHit[] = []
  let before: number | null = null
  let behind = 0
  do {
    const query = { ...everyRead(namespace), fields: { ...fields, kind: 'decision' }, before, limit: hitsAtOnce }
    const page: Awaited<ReturnType<LogSearch['search']>> = await logSearch.search(query)
    hits.push(...page.hits)
    before = page.next
    behind = page.index.behind
  } while (before !== null && hits.length < most)
  return { hits: hits.slice(0, most), more: before !== null || hits.length > most, behind }
}

function everyRead(namespace: string): SearchFilter {
  return { namespace, fields: {}, call: null, text: '', fromMs: null, toMs: null, reads: true }
}

function treeJson({ hit, calls }: CallTree): JsonValue {
  return { ...asJson(hit), calls: calls.map(treeJson) }
}
