/** Tables of the audit database that are read through kysely. */
export interface AuditTables {
  readonly logs: { log: number; namespace: string; texts_from: number; bodies_from: number }
  readonly records: {
    seq: number
    log: number
    idx: number
    id: string
    time_ms: number
    kind: string
    call: string
    principal: string | null
    leaf_hash: Uint8Array
    json: string
  }
  readonly bodies: { seq: number; data_key: number; sealed: Uint8Array }
  readonly data_keys: { data_key: number; log: number; subject: string; epoch: number; wrapped: Uint8Array }
  readonly trees: { tree: number; log: number; period: string; first_idx: number }
  readonly tiles: { tree: number; level: number; idx: number; root: Uint8Array; hashes: Uint8Array }
  readonly checkpoints: { ordinal: number; tree: number; size: number; time_ms: number; note: string }
}
