import type { Digest } from '../kernel/index.ts'
import type { PolicySource } from './policy-engine.ts'

/** A policy set as it was put in force once. The files never change; the same set may be put in force again later. */
export interface StoredPolicySet {
  readonly namespace: string
  /** Digest of the set, as the engine gives it. Names the files. */
  readonly policySetHash: Digest
  readonly sources: readonly PolicySource[]
  readonly activatedAtMs: number
  /** Principal id. */
  readonly activatedBy: string
  /** Why, in the words of whoever did it. May be empty. */
  readonly comment: string
}

/** Where policy sets are kept. Sets are only ever added; "active" is the newest activation. */
export interface PolicyStore {
  /** The set in force of every namespace that has one. */
  loadActive(): Promise<StoredPolicySet[]>
  /**
   * Adds the set if its hash is new in the namespace and puts it in force, in one transaction.
   * Does not check the text: the engine does that before. Durable when the promise resolves.
   */
  activate(set: StoredPolicySet): Promise<void>
  /** A set by its hash with its newest activation, `null` where there is none. */
  find(namespace: string, policySetHash: Digest): Promise<StoredPolicySet | null>
  /** Keeps the text of the platform's own policies, where it is not there yet: records of today name sets with it in them. */
  keepBuiltIn(text: string): Promise<void>
  /** The platform's own policies of every version that was started, the newest first. */
  listBuiltIn(): Promise<string[]>
  /** Every activation, newest first, without the texts. */
  listActivations(
    namespace: string,
  ): Promise<(Omit<StoredPolicySet, 'namespace' | 'sources'> & { readonly active: boolean })[]>
}
