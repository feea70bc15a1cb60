import type { DecisionLog } from '../audit/index.ts'
import type { DoorRefusal } from '../http/index.ts'
import { uuidv7, type Clock } from '../kernel/index.ts'
import type { Log } from './log.ts'
import { platformNamespace } from './namespaces.ts'

/** Kinds of refusal kept apart in one period; what is beyond is counted together. */
const maxGroups = 200

interface Group {
  readonly refusal: DoorRefusal
  readonly firstMs: number
  count: number
}

/** Turns refusals at the door into records. */
export interface DoorRecords {
  add(refusal: DoorRefusal): void
  /** Writes what has gathered; what cannot be written goes on waiting. Never rejects. */
  flush(): Promise<void>
  close(): Promise<void>
}

/**
 * Gathers refusals of the same kind from the same address and writes one `denied-at-door` record for each group every
 * `periodMs`, so that a flood of strangers cannot fill the disk. Records go to the platform's log: a stranger's word
 * for a namespace is not proof that it concerns it. Where a record cannot be written the group waits for the next
 * period; the refusal itself has happened already.
 */
export function createDoorRecords(decisionLog: DecisionLog, clock: Clock, log: Log, periodMs = 10_000): DoorRecords {
  const groups = new Map<string, Group>()
  let overflow = 0

  function add(refusal: DoorRefusal): void {
    const { code, address, route, namespace, principalId, credentialId, reason } = refusal
    const key = JSON.stringify([code, address, route, namespace, principalId, credentialId, reason])
    const group = groups.get(key)
    if (group !== undefined) group.count += 1
    else if (groups.size < maxGroups) groups.set(key, { refusal, firstMs: clock.nowMs(), count: 1 })
    else overflow += 1
  }

  /** Back among what waits, together with what has come of its kind since. */
  function keep(key: string, group: Group): void {
    const since = groups.get(key)?.count ?? 0
    if (since > 0 || groups.size < maxGroups) groups.set(key, { ...group, count: group.count + since })
    else overflow += group.count
  }

  async function flush(): Promise<void> {
    const gathered = [...groups.entries()]
    groups.clear()
    const beyond = overflow
    overflow = 0
    try {
      while (gathered[0] !== undefined) {
        const { refusal, firstMs, count } = gathered[0][1]
        await append({ ...refusal, count, first_ms: firstMs })
        gathered.shift()
      }
      if (beyond > 0) await append({ code: 'many', count: beyond })
    } catch (error) {
      overflow += beyond
      for (const [key, group] of gathered) keep(key, group)
      log.error({ err: error }, 'refusals at the door could not be recorded')
    }
  }

  async function append(event: { [key: string]: string | number | null }): Promise<void> {
    const id = uuidv7(clock.nowMs())
    await decisionLog.append({
      kind: 'denied-at-door',
      namespace: platformNamespace,
      run: id,
      call: id,
      parentCall: null,
      trace: null,
      event,
    })
  }

  const timer = setInterval(() => void flush(), periodMs)
  timer.unref()

  return {
    add,
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}
