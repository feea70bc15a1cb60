import type { BodyLevel } from '../kernel/index.ts'

/** How long something is kept: whole days from when it was recorded, or for ever. */
export type KeptDays = number | 'forever'

/** What a namespace has said about its records. `null` where the configuration of the server holds. */
export interface RecordingSettings {
  readonly namespace: string
  readonly level: BodyLevel | null
  /** Arguments, results and engine inputs. */
  readonly bodyDays: KeptDays | null
  /** The texts of the records themselves. What proves that they were there stays. */
  readonly recordDays: KeptDays | null
}

/** Keeps what namespaces have said about their records. */
export interface RecordingStore {
  load(): Promise<RecordingSettings[]>
  /** Durable when it resolves. */
  put(settings: RecordingSettings): Promise<void>
}
