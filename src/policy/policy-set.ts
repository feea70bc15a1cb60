import type { Digest } from '../kernel/index.ts'
import type { AttributeReads } from './attribute-reads.ts'
import type { PolicyJson } from './cedar.ts'
import type { DeterminingPolicy } from './decision.ts'

/** One policy, cut out of its file and parsed. */
export interface ParsedPolicy {
  /** `file#name` where it has an `@id`, else `file#line`. Unique in its set. */
  readonly id: string
  readonly file: string
  /** UTF-16 offset of the policy's first token in its file. */
  readonly offset: number
  readonly line: number
  readonly text: string
  readonly json: PolicyJson
  readonly reads: AttributeReads
  readonly obligation: string | null
  /** How records and people see it. */
  readonly shown: DeterminingPolicy
}

/** Policies that belong together, in the order of their files. */
export interface ParsedPolicySet {
  readonly policies: readonly ParsedPolicy[]
  /** Over the platform's own policies and every file's name and text, whatever the order of the files. */
  readonly hash: Digest
}
