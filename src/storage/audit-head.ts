import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'

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
