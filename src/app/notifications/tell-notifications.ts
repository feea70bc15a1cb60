import type { StoredRecord } from '../../audit/index.ts'
import type { LogFollower } from '../log-followers/follow-log.ts'
import { notificationOf, type Notification } from './notification.ts'

/** Somebody who is told of calls, one after the other, and of each until it was taken. */
export interface Listener {
  /** Names it among the readers of the log. */
  readonly reader: string
  /** `null` when it took what it was told, or did not want it; else why it did not. Never rejects. */
  readonly tell: (notification: Notification) => Promise<string | null>
  /** Told when telling begins to fail, with why, and when it goes on. */
  readonly onChange: (why: string | null) => void
}

/** A listener as a follower of the log, which is told of the records that ask for it. */
export function tellNotifications(
  { reader, tell, onChange }: Listener,
  approvalChannels: readonly string[] = [],
  alertChannels: readonly string[] = [],
): LogFollower {
  return {
    reader,
    kinds: ['decision', 'approval', 'quarantine', 'alarm'],
    onChange,
    async take(records: readonly StoredRecord[], closing: AbortSignal) {
      for (const [done, record] of records.entries()) {
        if (closing.aborted) return { done, refused: null }
        const notification = notificationOf(record, approvalChannels, alertChannels)
        const refused = notification === null ? null : await tell(notification)
        if (refused !== null) return { done, refused }
      }
      return { done: records.length, refused: null }
    },
  }
}
