import type { DecisionLog, EventDraft } from '../../audit/index.ts'
import { canonicalJson, isJsonObject, type Clock } from '../../kernel/index.ts'
import { alarmRecords } from '../alarm-records.ts'
import type { Log } from '../log.ts'

/** Something about what is kept and deleted that a person has to look at. */
export interface KeepingProblem {
  /** The same for the same problem. */
  readonly id: string
  /** Where its record goes. */
  readonly namespace: string
  /** What the record of kind `alarm` says. */
  readonly event: EventDraft['event']
  /** One sentence for operators, and what they can do. */
  readonly detail: string
  readonly remedy: string
}

/** Tells operators of problems, each once: by a line of the log, a record, and `doctor` for as long as it is there. */
export interface KeepingWatch {
  /** @throws McpworksError `audit_unavailable`, `storage_unavailable`: it is told with the next try */
  raise(problem: KeepingProblem): Promise<void>
  settle(id: string): void
  problems(): readonly KeepingProblem[]
}

/** Alarms that are looked through for one that says the same. */
const rememberedAlarms = 100

/** Makes the watch. A problem that was there at the last start gets no second record. */
export function watchKeeping({
  decisionLog,
  clock,
  log,
}: {
  readonly decisionLog: Pick<DecisionLog, 'append' | 'read'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly log: Pick<Log, 'error' | 'info'>
}): KeepingWatch {
  const open = new Map<string, KeepingProblem>()
  const record = alarmRecords(decisionLog, clock)

  async function isRecorded({ namespace, event }: KeepingProblem): Promise<boolean> {
    const alarms = await decisionLog.read({ namespace, kinds: ['alarm'], descending: true, limit: rememberedAlarms })
    const text = canonicalJson(event)
    return alarms.some(({ json }) => {
      const stored: unknown = JSON.parse(json)
      return isJsonObject(stored) && isJsonObject(stored['event']) && canonicalJson(stored['event']) === text
    })
  }

  return {
    async raise(problem) {
      const known = open.has(problem.id)
      open.set(problem.id, problem)
      if (known) return
      const { namespace, detail, event } = problem
      log.error({ namespace, event }, detail)
      try {
        if (!(await isRecorded(problem))) await record(namespace, event)
      } catch (error) {
        open.delete(problem.id)
        throw error
      }
    },
    settle(id) {
      const settled = open.get(id)
      if (settled === undefined) return
      open.delete(id)
      log.info({ namespace: settled.namespace, was: settled.detail }, 'settled')
    },
    problems: () => [...open.values()],
  }
}
