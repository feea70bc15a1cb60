/** Remembers how far readers of the whole log have come, so that each goes on there after a restart. */
export interface LogPositionStore {
  /** Id of the last record that the reader is done with, `''` at the beginning of the log; `null` for one that is new. */
  find(reader: string): Promise<string | null>
  /** Durable when it resolves. */
  keep(reader: string, recordId: string): Promise<void>
}
