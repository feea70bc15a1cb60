import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { McpworksError } from '../kernel/index.ts'

/** Where the writer is. One row, written in every commit, so that cutting off the newest records shows. */
export interface AuditHead {
  /** Starts of the writer so far. */
  readonly epoch: number
  readonly nextSeq: number
  /** Leaf hash of the writer's newest record, `null` before the first. */
  readonly lastHash: Uint8Array | null
  /** Checkpoints signed so far: the newest one's ordinal. */
  readonly checkpoints: number
  /** No allowed decision below this sequence number is without its outcome. */
  readonly openFrom: number
}

/** HMAC-SHA-256 over the head's fields. */
export function headMac(key: KeyObject, writerId: string, head: AuditHead): Buffer {
  const hash = head.lastHash === null ? '' : Buffer.from(head.lastHash).toString('hex')
  const text = `${writerId} ${head.epoch} ${head.nextSeq} ${hash} ${head.checkpoints} ${head.openFrom}`
  return createHmac('sha256', key).update(text).digest()
}

/** Whether the MAC is the head's. */
export function headMacFits(key: KeyObject, writerId: string, head: AuditHead, mac: Uint8Array): boolean {
  const expected = headMac(key, writerId, head)
  return expected.length === mac.length && timingSafeEqual(expected, mac)
}

/**
 * The stored head, or that of an empty log. It must be the one that the writer left: to go on from another would sign, and
 * authenticate anew, what somebody without any key put in the place of the log.
 * @throws McpworksError `storage_unavailable` where it was changed; SQLite's own errors
 */
export function readOwnHead(database: DatabaseSync, key: KeyObject, writerId: string): AuditHead {
  const row = database.prepare('SELECT epoch, next_seq, last_hash, checkpoints, open_from, mac FROM head').get()
  if (row === undefined) {
    const left = database
      .prepare('SELECT EXISTS (SELECT 1 FROM records) OR EXISTS (SELECT 1 FROM checkpoints) AS some')
      .get()
    if (left?.['some'] !== 0) throw changedHead()
    return { epoch: 0, nextSeq: 0, lastHash: null, checkpoints: 0, openFrom: 0 }
  }
  const head = {
    epoch: Number(row['epoch']),
    nextSeq: Number(row['next_seq']),
    lastHash: row['last_hash'] as Uint8Array | null,
    checkpoints: Number(row['checkpoints']),
    openFrom: Number(row['open_from']),
  }
  if (!headMacFits(key, writerId, head, row['mac'] as Uint8Array)) throw changedHead()
  return head
}

function changedHead(): McpworksError {
  return new McpworksError('storage_unavailable', {
    message:
      'The decision log was changed by somebody else than the server, which does not go on with it. Run "mcpworks audit verify", and restore a backup.',
  })
}
