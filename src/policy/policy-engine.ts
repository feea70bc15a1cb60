import type { BodyLevel, Digest, JsonObject } from '../kernel/index.ts'
import type { PolicyAnalysis } from './analysis/policy-analysis.ts'
import type { AccessAnswer, AccessQuestion } from './analysis/access-answer.ts'
import type { PolicyDecision, PolicyRequest } from './decision.ts'

/** One policy file as its author wrote it. */
export interface PolicySource {
  /** File name for messages and policy ids, such as `leads.cedar`. */
  readonly file: string
  readonly text: string
}

/** What policies can speak of in one namespace: the tools with their argument schemas, and the groups. */
export interface PolicyVocabulary {
  readonly namespace: string
  readonly tools: readonly {
    readonly name: string
    readonly service: string
    readonly inputSchema: JsonObject
    /** What the tool says that it gives out, where it says so. */
    readonly outputSchema?: JsonObject | null
  }[]
  /** Names of services beyond those of the tools (they may hold only resources or prompts). */
  readonly services?: readonly string[]
  /** Names of the agents there are. Given, a policy that names another one gets a warning: agents come and go. */
  readonly agents?: readonly string[]
  /** Names of the agent groups there are. Given, a policy that names another one gets a warning. */
  readonly groups?: readonly string[]
  /** Names of the channels that have an address. Given, a policy that notifies another one gets a warning. */
  readonly channels?: readonly string[]
  /** Labels that tools declare. Given, a policy that looks for another one gets a warning. */
  readonly labels?: readonly string[]
}

/**
 * What to do with policies that no longer fit the catalogue (a tool is gone, an argument has another name).
 * `refuse`: they are errors; for a person who writes policies. `deny-affected`: they are warnings, and every tool that
 * such a policy's scope covers is denied until policy and tool agree again; for a change of the catalogue under
 * policies that were accepted before, and for the start of the server. Mistakes of grammar are errors either way.
 */
export type MisfitRule = 'refuse' | 'deny-affected'

/** A mistake in a policy file. Lines and columns count from 1. */
export interface PolicyProblem {
  readonly file: string
  readonly line: number | null
  readonly column: number | null
  readonly message: string
  /** What to write instead, where that can be told (the nearest name). */
  readonly hint: string | null
  readonly severity: 'error' | 'warning'
}

/** Outcome of checking or installing policies. On a problem of severity `error` nothing was changed. */
export type PolicyCheck =
  | {
      readonly ok: true
      readonly policySetHash: Digest
      readonly policyCount: number
      readonly problems: readonly PolicyProblem[]
    }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] }

/** Whether a principal sees a tool, resource or prompt at all. */
export interface VisibilityQuestion {
  readonly principal: PolicyRequest['principal']
  readonly action: 'call' | 'read' | 'prompt'
  readonly resource: PolicyRequest['resource']
}

/** The policy port: pure, synchronous, no I/O and no clock. */
export interface PolicyEngine {
  /** Validates without installing. */
  check(sources: readonly PolicySource[], vocabulary: PolicyVocabulary): PolicyCheck
  /** Validates, and only if there is no error, puts the set in force for the namespace, atomically. */
  install(sources: readonly PolicySource[], vocabulary: PolicyVocabulary, onMisfit?: MisfitRule): PolicyCheck
  /**
   * What `ask` learns while other policies are in force. Exactly what was in force before is so again afterwards, whatever
   * happens: nothing is validated anew, so nothing can go wrong with it. `ask` must not wait for anything.
   */
  under<Answer>(
    sources: readonly PolicySource[],
    vocabulary: PolicyVocabulary,
    ask: () => Answer,
    onMisfit?: MisfitRule,
  ): { readonly check: PolicyCheck & { readonly ok: false } } | { readonly answer: Answer }
  /** Forgets a namespace: only the platform's own policies remain there, which give agents nothing. */
  remove(namespace: string): void
  /** Decides. Never throws: what would throw is a deny with basis `error`. */
  decide(request: PolicyRequest): PolicyDecision
  /** True unless every possible set of arguments and circumstances would be denied. Errors answer false. */
  isVisible(question: VisibilityQuestion): boolean
  /**
   * The most that may be kept of an exchange that is refused before it is decided, by all policies in scope; `null` where
   * none says, `metadata` where the request contradicts itself.
   */
  recordLevel(question: Pick<PolicyRequest, 'principal' | 'action' | 'resource'>): BodyLevel | null
  /** Off the hot path: for a denial, the permits in scope and the condition that each failed; for an allow, the permits. */
  explain(request: PolicyRequest): Explanation
  /** Off the hot path: what a principal can do with each tool that the policies in force were checked against, by name. */
  explainAccess(namespace: string, principal: PolicyRequest['principal']): readonly ToolAccess[]
  /** Off the hot path: what the author of the policies in force should know, for the agents that there are. */
  analyze(namespace: string, agents: readonly PolicyRequest['principal'][]): PolicyAnalysis
  /** Off the hot path: whether an agent can ever call a tool, with a call that is allowed, or why there is none. */
  canCall(question: AccessQuestion): AccessAnswer
  /**
   * Whether the engine can still decide, for health checks. Where it cannot, every request is denied until the process
   * is started again; requests that were answered before, from the first failure or this check on, and `decide` makes
   * it every second. Never throws.
   */
  isWorking(): boolean
  /** Digest of the set in force, `null` where there is none. */
  policySetHash(namespace: string): Digest | null
}

/** Why a decision came out as it did, for people. Says what policies say, and nothing that the request held. */
export interface Explanation {
  readonly decision: PolicyDecision
  /** What the policies that determined the decision ask for, in their order. */
  readonly because: readonly { readonly policyId: string; readonly conditions: readonly ConditionText[] }[]
  /** Permits whose scope matches the request but whose condition was false, closest first. */
  readonly nearMisses: readonly NearMiss[]
  /** Of a default deny: permits that are for somebody else or for something else, with that in words. */
  readonly elsewhere: readonly { readonly policyId: string; readonly words: string }[]
}

/** One part of a policy's conditions. */
export interface ConditionText {
  /** As Cedar. */
  readonly condition: string
  /** What has to be so, in words; `null` where it cannot be said in few. */
  readonly words: string | null
  /** Attributes of the context that it looks at, such as `args.limit`. */
  readonly looksAt: readonly string[]
}

/** A permit that a request came close to. */
export interface NearMiss {
  readonly policyId: string
  /** The first condition that failed, as Cedar. */
  readonly failedCondition: string
  /** All that failed; `evaluated` is false for what could not be evaluated at all. */
  readonly failed: readonly (ConditionText & { readonly evaluated: boolean })[]
  /** How many conditions it has. */
  readonly conditions: number
}

/** What a principal can do with a tool. */
export interface ToolAccess {
  /** The tool's name, without its namespace. */
  readonly tool: string
  readonly service: string
  /** Whether a call is allowed whatever its arguments and circumstances, in some, or in none. */
  readonly access: 'always' | 'conditional' | 'never'
  /** The policies that say so: those that can permit, and those that can forbid. Empty where no policy speaks of it. */
  readonly policyIds: readonly string[]
}
