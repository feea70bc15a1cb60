import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'
import type { Checkpoint } from './checkpoint.ts'

/** What the first record of a tree says, where there was a tree before it. */
export interface PeriodEvent {
  /** The tree that it begins. */
  readonly period: string
  /** The tree that it closes, as its last checkpoint commits to it, and the verifier key line of who signed that. */
  readonly previous: Checkpoint & { readonly key: string }
}

/** The event of a record of the kind `period`. */
export function periodEvent({ period, previous }: PeriodEvent): { readonly [key: string]: JsonValue } {
  const { origin, size, root, key } = previous
  return { period, previous: { key, origin, root: Buffer.from(root).toString('base64'), size } }
}

/** Reads the event of a record of the kind `period`; `null` where it is not one. */
export function readPeriodEvent(event: JsonObject | null): PeriodEvent | null {
  const previous = event?.['previous']
  const period = event?.['period']
  if (typeof period !== 'string' || !isJsonObject(previous)) return null
  const { key, origin, root, size } = previous
  if (typeof key !== 'string' || typeof origin !== 'string' || typeof root !== 'string') return null
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1) return null
  return { period, previous: { key, origin, size, root: Buffer.from(root, 'base64') } }
}
