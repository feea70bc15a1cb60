import type { Digest } from '../kernel/index.ts'
import type { AttributeReads } from './attribute-reads.ts'
import type { PolicyJson } from './cedar.ts'
import type { DeterminingPolicy } from './decision.ts'
import type { FactsFile } from './facts/facts-file.ts'
import type { EntityLiteral } from './policy-tokens.ts'

/** What follows from a policy's text alone, wherever it stands. */
export interface PolicyBody {
  readonly text: string
  readonly textHash: Digest
  readonly json: PolicyJson
  readonly reads: AttributeReads
  /** Entity literals with their UTF-16 offsets in `text`. */
  readonly literals: readonly EntityLiteral[]
  /** Names that the conditions look up directly under `context.args`. */
  readonly argumentNames: ReadonlySet<string>
  /** Names that the conditions look up directly under `context.facts`. */
  readonly factNames: ReadonlySet<string>
}

/** One policy, cut out of its file and parsed. */
export interface ParsedPolicy extends PolicyBody {
  /** `file#name` where it has an `@id`, else `file#line`. Unique in its set. */
  readonly id: string
  readonly file: string
  /** UTF-16 offset of the policy's first token in its file. */
  readonly offset: number
  readonly line: number
  readonly obligation: string | null
  /** How records and people see it. */
  readonly shown: DeterminingPolicy
}

/** Policies that belong together, in the order of their files. */
export interface ParsedPolicySet {
  readonly policies: readonly ParsedPolicy[]
  /** What the file of facts among them binds. */
  readonly facts: FactsFile
  /** Over the platform's own policies and every file's name and text, whatever the order of the files. */
  readonly hash: Digest
}
