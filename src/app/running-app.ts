import type { IdentityRegistry, People } from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import type { GuardedFetch } from '../egress/index.ts'
import type { CatalogueEntry, Gateway, MutableCatalogue } from '../gateway/index.ts'
import type { Caller, Clock } from '../kernel/index.ts'
import type { Log } from './log.ts'
import type { StandbyPlace } from './stand-by.ts'

/** What a start can be given besides the configuration. */
export interface StartOptions {
  readonly config: Config
  readonly log: Log
  readonly version: string
  readonly clock?: Clock
  /** Entries with backends of their own in this process, for tests and benchmarks of the whole pipeline. */
  readonly entries?: readonly CatalogueEntry[]
  /** Told once if another server is active on the database, before this one waits for it to end. */
  readonly onStandby?: (place: StandbyPlace) => void
  /** Ends the waiting; nothing else. */
  readonly signal?: AbortSignal
  /** Goes on with a decision log that was put back since this data directory saw it; each such tree is recorded as an alarm. */
  readonly acceptOlderLog?: boolean
  /** The way out, for tests whose servers elsewhere have certificates of an authority of their own. */
  readonly guardedFetch?: GuardedFetch
}

/** A running server. */
export interface RunningApp {
  readonly url: string
  /** True when the data directory held no namespace before. */
  readonly isFirstStart: boolean
  /** Names of the namespaces, in no order. */
  namespaces(): string[]
  readonly gateway: Gateway
  /** What agents can see, for tests that change it while the server runs. */
  readonly catalogue: MutableCatalogue
  readonly registry: IdentityRegistry
  /** People and what they sign in with. */
  readonly people: People
  /** Where people sign in; `null` where they cannot: without https, and not on this machine. */
  readonly signInUrl: string | null
  /** A one-time link for the first owner, where nobody has anything to sign in with; `null` otherwise. */
  firstOwnerLink(): Promise<string | null>
  /** The operator, for effects that the start itself has to have: they go through the pipeline too. */
  readonly operator: Caller
  /** Resolves, with a sentence for the operator, once another server has taken over: this one can only be closed. */
  readonly replaced: Promise<string>
  /** Stops taking calls, lets running ones end, signs the last checkpoints, and leaves no process behind. */
  close(): Promise<void>
}
