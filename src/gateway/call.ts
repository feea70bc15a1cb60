import type { ApprovalQuestion, Sought } from '../approvals/index.ts'
import type { Duties, PolicyDecision, PolicyRequest } from '../policy/index.ts'
import type { CatalogueEntry } from './catalogue.ts'
import type { GatewayRequest } from './gateway.ts'
import type { SchemaProblem } from './ports.ts'
import type { Run } from './runs/run.ts'

/** A request with the ids that its records will carry. */
export interface IdentifiedCall extends GatewayRequest {
  readonly call: string
  readonly run: string
  /** The run itself. */
  readonly currentRun: Run
  /** Information-flow labels that the run had gathered when the call was decided. */
  readonly labels: readonly string[]
  readonly startedMs: number
}

/** What the request is about, pinned: exactly this definition is checked, decided on and run. */
export interface Target {
  readonly entry: CatalogueEntry | null
  /** False where the caller may not know of it; then it is answered as unknown. */
  readonly visible: boolean
  /** What policy and records call it. */
  readonly resource: PolicyRequest['resource']
  readonly action: PolicyRequest['action']
  /** Of a call that waits, where that is what is decided on. */
  readonly question?: ApprovalQuestion
}

/** Why a call was refused before or by policy. */
export type Verdict =
  | {
      readonly kind: 'allowed'
      readonly decision: PolicyDecision
      readonly entry: CatalogueEntry | null
      /** What the permits demand in return. */
      readonly duties: Duties
      /** The approval that was spent on the call. */
      readonly approval?: Extract<Sought, { kind: 'granted' }>
    }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'invalid'; readonly problems: readonly SchemaProblem[] }
  | {
      readonly kind: 'denied'
      readonly decision: PolicyDecision
      /** After which waiting alone would have it allowed; `null` where it would not, or that cannot be told. */
      readonly retryAfterSeconds: number | null
      /** What became of asking a person, where that could change it. */
      readonly approval?: Sought
    }
  /** Asked for by running code that may not, whatever policy says. */
  | { readonly kind: 'barred'; readonly sentence: string }
