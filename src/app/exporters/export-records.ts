import type { StoredRecord } from '../../audit/index.ts'
import type { Delivery } from '../../exporters/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import type { LogFollower, Taken } from '../log-followers/follow-log.ts'

/** How records become something for one receiver, and how that gets there. */
export interface RecordExport<Item> {
  /** `null` for a record that is nothing to the receiver. */
  convert(stored: StoredRecord): Promise<Item | null>
  /** In one delivery. Never rejects. */
  send(items: readonly Item[], closing: AbortSignal): Promise<Delivery>
}

/** What an exporter has to tell besides where it is. */
export interface ExportCounts {
  /** Spans that the receiver took and said that it will not keep. */
  rejected: number
  /** Records that the receiver will never take, or that could not be put into its form. */
  dropped: number
}

/** Told of what does not reach the receiver. Must not throw. */
export interface ExportEvents {
  rejected(count: number, note: string): void
  dropped(recordId: string, why: unknown): void
  onChange(why: string | null): void
}

/** What records became. */
interface Converted<Item> {
  readonly placed: Placed<Item>[]
  /** Position of the first record for which the log could not be read; `null` where it could for all of them. */
  readonly unreadAt: number | null
}

interface Placed<Item> {
  /** Position among the records that were given. */
  readonly at: number
  readonly id: string
  readonly item: Item
}

/**
 * A follower that hands records to a receiver in their order. What the receiver calls unacceptable is halved until the
 * record is found that it will not take; that one is told of and left out, so that it does not keep the others. Where the
 * log cannot be read to put a record into its form, that one and those after it stay where they are.
 */
export function exportRecords<Item>(
  { reader, recordsAtOnce, from }: Required<Pick<LogFollower, 'reader' | 'recordsAtOnce' | 'from'>>,
  { convert, send }: RecordExport<Item>,
  counts: ExportCounts,
  events: ExportEvents,
): LogFollower {
  async function convertAll(records: readonly StoredRecord[]): Promise<Converted<Item>> {
    const placed: Placed<Item>[] = []
    for (const [at, record] of records.entries()) {
      try {
        const item = await convert(record)
        if (item !== null) placed.push({ at, id: record.id, item })
      } catch (error) {
        if (isUnread(error)) return { placed, unreadAt: at }
        counts.dropped += 1
        events.dropped(record.id, error)
      }
    }
    return { placed, unreadAt: null }
  }

  async function take(records: readonly StoredRecord[], closing: AbortSignal): Promise<Taken> {
    const { placed, unreadAt } = await convertAll(records)
    const waiting = [placed]
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const [first] = part
      if (first === undefined) continue
      if (closing.aborted) return { done: first.at, refused: null }
      const delivery = await send(
        part.map(({ item }) => item),
        closing,
      )
      if (delivery.status === 'refused')
        return closing.aborted
          ? { done: first.at, refused: null }
          : { done: first.at, refused: delivery.reason, retryAfterMs: delivery.retryAfterMs }
      if (delivery.status === 'unacceptable' && part.length > 1) {
        const middle = Math.ceil(part.length / 2)
        waiting.unshift(part.slice(0, middle), part.slice(middle))
      } else if (delivery.status === 'unacceptable') {
        counts.dropped += 1
        events.dropped(first.id, delivery.reason)
      } else if (delivery.rejected > 0) {
        counts.rejected += delivery.rejected
        events.rejected(delivery.rejected, delivery.note ?? '')
      }
    }
    return unreadAt === null
      ? { done: records.length, refused: null }
      : { done: unreadAt, refused: 'what belongs to a record could not be read from the log' }
  }

  return { reader, recordsAtOnce, from, take, onChange: events.onChange }
}

/** What the rest of a call could not be read for may be readable later: a record is not left out for that. */
function isUnread(error: unknown): boolean {
  return error instanceof McpworksError && unreadCodes.has(error.code)
}

const unreadCodes: ReadonlySet<string> = new Set(['storage_unavailable', 'audit_unavailable'])
