import type { BodyLevel, Digest, JsonObject } from '../kernel/index.ts'

/**
 * What a caller wants to do. `manage` is any change of state through the management API, `audit` any reading of records,
 * `approve` deciding on a call of somebody else that waits for a person.
 */
export type PolicyAction = 'call' | 'read' | 'prompt' | 'manage' | 'approve' | 'audit'

/** The Cedar entity types that a request can be about. */
export type ResourceType = 'Tool' | 'Resource' | 'Prompt' | 'Namespace'

/** The exact question put to the engine. Holds no secret. */
export interface PolicyRequest {
  readonly principal: {
    readonly type: 'agent' | 'user'
    readonly id: string
    readonly namespace: string | null
    readonly groups: readonly string[]
  }
  readonly action: PolicyAction
  readonly resource: {
    readonly type: ResourceType
    /** `namespace/tool-name`, `namespace/uri`, `namespace/prompt`, or the namespace's name. */
    readonly id: string
    readonly namespace: string
    /** The service or server it belongs to; `null` for a namespace. */
    readonly service: string | null
  }
  /** The tool's arguments, a prompt's arguments, or a management operation's. Hostile input: never an entity. */
  readonly arguments: JsonObject
  readonly context: {
    readonly authentication: {
      readonly method: string
      readonly senderConstrained: boolean
      /** Seconds since a person proved who they are; 0 (the default) where each request proves it. */
      readonly ageSeconds?: number
      /** How the credential is bound to a key of the caller; `none` by default. */
      readonly binding?: 'none' | 'dpop' | 'mtls'
      /** Who issued the access token, and to which client; empty (the default) where there is none. */
      readonly issuer?: string
      readonly client?: string
      /** Who acts with the token for the principal; nobody by default. */
      readonly actors?: readonly string[]
    }
    /** Which door the request came in by. */
    readonly door: Door
    /** The operation's name for `manage` and `audit` (`agent.add`); empty otherwise. */
    readonly operation: string
    readonly labels: readonly string[]
    /** Whose call waits for the decision. Only with `approve`; left out there, nobody may decide. */
    readonly requester?: Requester
    /** Whether a person approved exactly this call; false by default. */
    readonly approved?: boolean
    /** What the caller used before this call; nothing by default. */
    readonly usage?: CallUsage
    readonly timeMs: number
    readonly address: string
  }
}

/** Whose call waits for a person. */
export interface Requester {
  readonly id: string
  /** The user who answers for it; empty where there is none. */
  readonly owner: string
  /** Whether that user has a part in deciding. */
  readonly own: boolean
  /** Whether the requester, or who acts with its token, has a part in deciding. */
  readonly self: boolean
}

/** What a caller used so far, without the call that is decided. */
export interface CallUsage {
  /** Over all tools of the namespace. */
  readonly agent: UsageFigures
  /** Of the tool that is called. */
  readonly tool: UsageFigures
}

/** Whole numbers. A day is a calendar day in UTC; a minute is the last 60 seconds. */
export interface UsageFigures {
  readonly callsMinute: number
  readonly callsDay: number
  /** Bytes of results handed out. */
  readonly bytesOutDay: number
  /** In the minor unit of the namespace's currency. */
  readonly spendDay: number
  /** Calls under way. */
  readonly running: number
}

/** The ways into the pipeline. */
export type Door = 'tool' | 'code' | 'schedule' | 'management' | 'console'

/** Why the effect is what it is. */
export type DecisionBasis = 'permit' | 'forbid' | 'default-deny' | 'error'

/** A policy that determined the decision. */
export interface DeterminingPolicy {
  /** `file#name` where the policy has an `@id`, else `file#line`. */
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly textHash: Digest
  /** The sentence of `@reason("...")`; `null` where the author gave none. */
  readonly reason: string | null
  /** `@remedy("...")`, `null` where none. */
  readonly remedy: string | null
}

/** Facts of a call, as far as they may stand in the clear. */
export interface DerivedFacts {
  /** Names the extractors, their versions and parameters, and what they read. */
  readonly extractorHash: Digest
  /** Of each fact what may be open, such as figures, schemes and domains. The rest is in the engine input only. */
  readonly facts: JsonObject
  /** Names of facts that could not be told and that no policy in scope reads. */
  readonly untold: readonly string[]
}

/** What the engine answered. Deny whenever anything at all went wrong. */
export interface PolicyDecision {
  readonly effect: 'allow' | 'deny'
  readonly basis: DecisionBasis
  readonly engine: { readonly name: 'cedar'; readonly version: string }
  readonly policySetHash: Digest
  readonly schemaHash: Digest
  readonly entitiesHash: Digest
  /** Digest of `engineInput`. */
  readonly requestHash: Digest
  readonly determining: readonly DeterminingPolicy[]
  /** Evaluation errors. Never empty when `basis` is `error`. */
  readonly errors: readonly { readonly policyId: string | null; readonly message: string }[]
  /** Values of `@obligation("...")` of the determining policies, sorted, unique; of forbids only what is to be recorded. */
  readonly obligations: readonly string[]
  /**
   * The most that may be kept of the exchange by the policies that determined the decision, and, where none did, by all
   * that were in scope: a permit that did not come to hold may have been written for just these arguments. `null` where
   * none of them says.
   */
  readonly recordLevel: BodyLevel | null
  /** The facts that were derived from the arguments; `null` where none are bound, or the request was not judged. */
  readonly derived: DerivedFacts | null
  /** What the call spends, in the minor unit of the namespace's currency; 0 where no fact says so. */
  readonly spend: number
  readonly durationUs: number
  /** RFC 8785 text of exactly what the engine was given (request, entities), for replay with stock Cedar. */
  readonly engineInput: string
}
