import type { DecisionLog } from '../audit/index.ts'
import { addressNetwork } from '../auth/index.ts'
import type { DoorRefusal } from '../http/index.ts'
import type { Clock } from '../kernel/index.ts'
import { appendEvent } from './append-event.ts'
import type { Log } from './log.ts'
import { platformNamespace } from './namespaces.ts'

/** Kinds of refusal, with their addresses, that get a record of their own in a minute. */
const maxGroups = 200
/** Kinds by network that what is beyond is counted as; what is beyond those is counted together. */
const maxNetworks = 50
const minuteMs = 60_000

interface Group {
  readonly event: { readonly [key: string]: string | number | null }
  readonly firstMs: number
  count: number
}

/** Turns refusals at the door into records. */
export interface DoorRecords {
  add(refusal: DoorRefusal): void
  /** Writes what has gathered; what cannot be written goes on waiting. Never rejects. */
  flush(): Promise<void>
  close(): Promise<void>
  /** Groups that wait to be written. */
  readonly waiting: number
}

/**
 * Gathers refusals of the same kind from the same address and writes one `denied-at-door` record for each group every
 * `periodMs`. A flood of strangers cannot fill the disk: of a minute come at most 200 records of kinds with their
 * address, 50 of kinds with their network (/16 of IPv4, /32 of IPv6), and one of all that is left, and together they
 * count every refusal. At some 1 KB a record that is 250 KB a minute. As many groups are in memory.
 * Records go to the platform's log: a stranger's word for a namespace is not proof that it concerns it. Where a record
 * cannot be written the group waits for the next period; the refusal itself has happened already.
 */
export function createDoorRecords(decisionLog: DecisionLog, clock: Clock, log: Log, periodMs = 10_000): DoorRecords {
  const groups = new Map<string, Group>()
  const networks = new Map<string, Group>()
  let overflow = 0
  let minuteBeganMs = clock.monotonicMs()
  let groupsOfMinute = 0

  function add(refusal: DoorRefusal): void {
    const { code, address, route, namespace, principalId, credentialId, reason } = refusal
    const key = JSON.stringify([code, address, route, namespace, principalId, credentialId, reason])
    const group = groups.get(key)
    if (group !== undefined) group.count += 1
    else if (groups.size < maxGroups && groupsOfMinute < maxGroups) {
      groupsOfMinute += 1
      groups.set(key, { event: { ...refusal }, firstMs: clock.nowMs(), count: 1 })
    } else addToNetwork(refusal)
  }

  function addToNetwork({ code, status, address, route }: DoorRefusal): void {
    const network = addressNetwork(address)
    const key = JSON.stringify([code, network, route])
    const group = networks.get(key)
    if (group !== undefined) group.count += 1
    else if (networks.size < maxNetworks) {
      const event = { code, status, network, route, reason: 'many kinds, counted together' }
      networks.set(key, { event, firstMs: clock.nowMs(), count: 1 })
    } else overflow += 1
  }

  /** Back among what waits, together with what has come of its kind since. */
  function keep(key: string, group: Group, waiting: Map<string, Group>, most: number): void {
    const since = waiting.get(key)?.count ?? 0
    if (since > 0 || waiting.size < most) waiting.set(key, { ...group, count: group.count + since })
    else overflow += group.count
  }

  async function write(waiting: Map<string, Group>, most: number): Promise<void> {
    const gathered = [...waiting.entries()]
    waiting.clear()
    try {
      while (gathered[0] !== undefined) {
        const { event, firstMs, count } = gathered[0][1]
        await append({ ...event, count, first_ms: firstMs })
        gathered.shift()
      }
    } catch (error) {
      for (const [key, group] of gathered) keep(key, group, waiting, most)
      throw error
    }
  }

  async function writeRest(): Promise<void> {
    await write(networks, maxNetworks)
    const beyond = overflow
    if (beyond === 0) return
    await append({ code: 'many', count: beyond })
    overflow -= beyond
  }

  async function flush(isLast = false): Promise<void> {
    const nowMs = clock.monotonicMs()
    const minuteIsOver = nowMs - minuteBeganMs >= minuteMs
    if (minuteIsOver) {
      minuteBeganMs = nowMs
      groupsOfMinute = 0
    }
    try {
      await write(groups, maxGroups)
      if (minuteIsOver || isLast) await writeRest()
    } catch (error) {
      log.error({ err: error }, 'refusals at the door could not be recorded')
    }
  }

  async function append(event: { [key: string]: string | number | null }): Promise<void> {
    await appendEvent(decisionLog, clock, { kind: 'denied-at-door', namespace: platformNamespace, event })
  }

  const timer = setInterval(() => void flush(), periodMs)
  timer.unref()

  return {
    add,
    flush,
    get waiting() {
      return groups.size + networks.size
    },
    async close() {
      clearInterval(timer)
      await flush(true)
    },
  }
}
