/** Something about the policies of a namespace that their author should know. */
export interface PolicyFinding {
  readonly kind: FindingKind
  /** The policy that it is about; `null` where it is about a tool or an agent. */
  readonly policyId: string | null
  /** The agent or tool that it is about; `null` where it is about a policy. */
  readonly subject: string | null
  readonly message: string
  /** Other policies that have a part in it. */
  readonly others: readonly string[]
}

/**
 * - `no-subject`: no agent there is, or no tool there is, is in its scope
 * - `never-true`: no call can make its conditions true
 * - `always-overridden`: a permit that some forbid beats in every case
 * - `can-fail`: it can fail to be evaluated, and every call in its scope is denied then
 * - `tool-of-nobody`: no agent may ever call the tool
 * - `agent-of-everything`: the agent may call every tool, whatever the arguments
 * - `misfit`: it does not fit the tools as they are, and denies every call in its scope
 */
export type FindingKind =
  | 'no-subject'
  | 'never-true'
  | 'always-overridden'
  | 'can-fail'
  | 'tool-of-nobody'
  | 'agent-of-everything'
  | 'misfit'

/** What was looked at. */
export interface PolicyAnalysis {
  readonly findings: readonly PolicyFinding[]
  readonly agents: number
  readonly tools: number
  readonly policies: number
  /** Policies of which not everything was looked at, because there is too much of it. Nothing is claimed of these. */
  readonly cutShort: readonly string[]
}
