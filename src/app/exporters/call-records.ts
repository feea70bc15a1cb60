import type { DecisionLog, StoredRecord } from '../../audit/index.ts'
import { isJsonObject } from '../../kernel/index.ts'

/** Puts the records of calls together while the log is followed. */
export interface CallRecords {
  /** The records of the call that `stored` is of, up to it, in their order; without its decision where that is gone. */
  upTo(stored: StoredRecord): Promise<readonly StoredRecord[]>
  /** Id of the call from outside that a call was made for, by its parent's id; the parent's own where that is gone. */
  outermost(namespace: string, parentCall: string): Promise<string>
}

/** A call has a decision and an outcome, and perhaps `abandoned`. */
const maxRecordsOfCall = 10
/** As deep as calls go, and some. */
const maxDepth = 16
const maxRemembered = 1000

/**
 * Makes it over the log. Decisions that were passed are remembered until their outcome comes, a thousand at most, so that
 * the log is searched for few of them.
 */
export function createCallRecords(log: Pick<DecisionLog, 'read'>): CallRecords {
  const decisions = new Map<string, StoredRecord>()
  const outermosts = new Map<string, string>()

  async function parentOf(namespace: string, call: string): Promise<string | null> {
    const [decision] = await log.read({ namespace, call, kinds: ['decision'], limit: 1 })
    if (decision === undefined || decision.json === '') return null
    const record: unknown = JSON.parse(decision.json)
    const parent = isJsonObject(record) ? record['parent_call'] : null
    return typeof parent === 'string' ? parent : null
  }

  return {
    async upTo(stored) {
      const { namespace, call, kind } = stored
      if (kind === 'decision') {
        remember(decisions, call, stored)
        return [stored]
      }
      const decision = decisions.get(call)
      decisions.delete(call)
      if (decision !== undefined) return [decision, stored]
      const records = await log.read({ namespace, call, limit: maxRecordsOfCall })
      return records.filter(({ index, json }) => index <= stored.index && json !== '')
    },
    async outermost(namespace, parentCall) {
      const known = outermosts.get(parentCall)
      if (known !== undefined) return known
      let call = parentCall
      for (let depth = 0; depth < maxDepth; depth += 1) {
        const parent = await parentOf(namespace, call)
        if (parent === null) break
        call = parent
      }
      remember(outermosts, parentCall, call)
      return call
    },
  }
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > maxRemembered && oldest !== undefined) map.delete(oldest)
}
