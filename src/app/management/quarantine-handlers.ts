import { findRemoval, removalSentence, type DecisionLog, type StoredRecord } from '../../audit/index.ts'
import { isJsonObject, McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

const pageRecords = 500
/** Records that one answer looks at. */
const lookedAtMost = 10_000
/** The newest of one call that are shown. */
const releasesShown = 20

/**
 * What was kept back, and giving it to a person who had no part in the call. The release is on record before anything is
 * opened.
 */
export function quarantineHandlers(
  decisionLog: Pick<DecisionLog, 'read' | 'readBody' | 'append'>,
  clock: Pick<Clock, 'nowMs'>,
): Pick<Handlers, 'audit.quarantine' | 'quarantine.release'> {
  return {
    async 'audit.quarantine'({ namespace, limit, before = null }) {
      const { kept, next } = await findKept(decisionLog, { namespace, limit, before })
      const calls: JsonObject[] = []
      for (const { record, event } of kept)
        calls.push({
          call: record.call,
          time: new Date(record.timeMs).toISOString(),
          principal: event.principal ?? null,
          service: event.service ?? null,
          tool: event.tool ?? null,
          invariants: event.invariants ?? [],
          releases: await releasesOf(decisionLog, record),
        })
      return { calls, next }
    },
    async 'quarantine.release'({ namespace, call, comment }, { caller, run, call: own }) {
      const records = await decisionLog.read({ namespace, call, withoutText: true, limit: 100 })
      const about = records.filter(({ kind }) => kind === 'quarantine' || kind === 'decision')
      const event = about.map(eventOf).find(({ type }) => type === 'quarantined')
      if (event === undefined && !about.some(({ kind, json }) => kind === 'quarantine' && json === ''))
        throw new McpworksError('unknown_object', {
          message: `${namespace} has nothing of call ${call} in quarantine.`,
        })
      // Without these nobody can tell whose call it was, and who had a part in it.
      const gone = about.find(({ json }) => json === '')
      if (event === undefined || gone !== undefined)
        throw new McpworksError('unknown_object', {
          message: `The text of the ${gone?.kind ?? 'decision'} of call ${call} ${await textGone(decisionLog, gone)}. Its output cannot be released.`,
        })
      const decided = about.find(({ kind }) => kind === 'decision')
      const parties = [String(event.principal), ...(decided === undefined ? [] : actorsOf(decided))]
      const releasers = [caller.principal.id, ...(caller.authentication.token?.actors ?? [])]
      if (releasers.some((one) => parties.includes(one)))
        throw new McpworksError('denied', { message: 'Nobody releases the output of their own call.' })
      const by = caller.principal.id
      await decisionLog.append({
        kind: 'quarantine',
        namespace,
        run,
        call,
        parentCall: null,
        trace: null,
        event: { type: 'released', by, comment, release: own, outcome: event.outcome ?? null },
      })
      const output = await decisionLog.readBody(String(event.outcome), 'output')
      if (output === null)
        throw new McpworksError('unknown_object', { message: await outputGone(decisionLog, records, event) })
      const body: unknown = JSON.parse(output.body)
      return {
        call,
        releasedAt: new Date(clock.nowMs()).toISOString(),
        by,
        output: isJsonObject(body) ? body : {},
      }
    },
  }
}

interface KeptBack {
  readonly record: StoredRecord
  readonly event: JsonObject
}

/** The newest below a position, whatever releases lie between them; `next` is where to go on, `null` at the end. */
async function findKept(
  decisionLog: Pick<DecisionLog, 'read'>,
  { namespace, limit, before }: { namespace: string; limit: number; before: number | null },
): Promise<{ kept: KeptBack[]; next: number | null }> {
  const kept: KeptBack[] = []
  let below = before
  for (let looked = 0; looked < lookedAtMost; looked += pageRecords) {
    const page = await decisionLog.read({
      namespace,
      kinds: ['quarantine'],
      descending: true,
      limit: pageRecords,
      ...(below === null ? {} : { afterIndex: below }),
    })
    for (const record of page) {
      below = record.index
      const event = eventOf(record)
      if (event.type !== 'quarantined') continue
      kept.push({ record, event })
      if (kept.length === limit) return { kept, next: below }
    }
    if (page.length < pageRecords) return { kept, next: null }
  }
  return { kept, next: below }
}

/** The newest releases of a call, the oldest of them first. */
async function releasesOf(
  decisionLog: Pick<DecisionLog, 'read'>,
  { namespace, call }: StoredRecord,
): Promise<JsonObject[]> {
  const query = { namespace, call, kinds: ['quarantine'], descending: true, limit: releasesShown } as const
  const releases: JsonObject[] = []
  for (const record of (await decisionLog.read(query)).toReversed()) {
    const { type, by, comment } = eventOf(record)
    if (type !== 'released') continue
    releases.push({ by: by ?? null, comment: comment ?? null, time: new Date(record.timeMs).toISOString() })
  }
  return releases
}

/** When the text of a record went, and which record says so. */
async function textGone(log: Pick<DecisionLog, 'read'>, gone: StoredRecord | undefined): Promise<string> {
  return gone === undefined ? 'is not there' : removalSentence(await findRemoval(log, gone, { part: 'text' }))
}

/** What became of an output that is not there. */
async function outputGone(
  log: Pick<DecisionLog, 'read'>,
  records: readonly StoredRecord[],
  { outcome, principal }: JsonObject,
): Promise<string> {
  const ended = records.find(({ id }) => id === outcome)
  const removal =
    ended === undefined ? null : await findRemoval(log, ended, { part: 'body', principal: String(principal) })
  if (removal === null) return 'The output of this call was not kept.'
  return `The output of this call ${removalSentence(removal)}.`
}

function eventOf({ json }: StoredRecord): JsonObject {
  const record: unknown = JSON.parse(json === '' ? '{}' : json)
  return isJsonObject(record) && isJsonObject(record.event) ? record.event : {}
}

/** Who acted with the token of the call's principal: the call is theirs as well. */
function actorsOf({ json }: StoredRecord): string[] {
  const record: unknown = JSON.parse(json)
  const pre = isJsonObject(record) ? record.pre : null
  const authn = isJsonObject(pre) ? pre.authn : null
  const actors = isJsonObject(authn) ? authn.actors : null
  return Array.isArray(actors) ? actors.map(String) : []
}
