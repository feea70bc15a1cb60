import type { Digest } from '../kernel/index.ts'
import type { PolicySource } from './policy-engine.ts'

/** Policies that are tried beside those in force in a namespace. */
export interface ShadowPolicies {
  readonly namespace: string
  readonly policySetHash: Digest
  readonly sources: readonly PolicySource[]
  readonly setAtMs: number
  /** Principal id. */
  readonly setBy: string
  /** Why, in the words of whoever did it. May be empty. */
  readonly comment: string
}

/** Where shadow policies are kept: at most one set for a namespace. What is written is durable when the promise resolves. */
export interface ShadowStore {
  load(): Promise<ShadowPolicies[]>
  /** Puts a set in the place of the one that there was. */
  put(shadow: ShadowPolicies): Promise<void>
  remove(namespace: string): Promise<void>
}
