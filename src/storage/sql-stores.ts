import type { ApprovalStore } from '../approvals/index.ts'
import type { CosignatureStore, LogPositionStore, RecordingStore, RetentionClockStore } from '../audit/index.ts'
import type {
  AuthorizationStore,
  ClosureStore,
  CredentialStore,
  CredentialUseStore,
  OAuthClientStore,
  FactorStore,
  SessionStore,
  SigningKeyStore,
  UpstreamStore,
  UsageStore,
  UsedAssertions,
} from '../auth/index.ts'
import type { FunctionStore } from '../functions/index.ts'
import type { RunStore, UsageCounterStore } from '../gateway/index.ts'
import type { PolicyStore, ShadowStore } from '../policy/index.ts'
import type { NamespaceStore } from './namespace-store.ts'
import { SqlApprovalStore } from './sql-approval-store.ts'
import { SqlAuthorizationStore } from './sql-authorization-store.ts'
import { SqlClosureStore } from './sql-closure-store.ts'
import { SqlCosignatureStore } from './sql-cosignature-store.ts'
import { SqlCredentialStore } from './sql-credential-store.ts'
import { SqlCredentialUseStore } from './sql-credential-use-store.ts'
import { SqlFunctionStore } from './sql-function-store.ts'
import { SqlLogPositionStore } from './sql-log-position-store.ts'
import { SqlNamespaceStore } from './sql-namespace-store.ts'
import { SqlOAuthClientStore } from './sql-oauth-client-store.ts'
import { SqlRunStore } from './sql-run-store.ts'
import { SqlPolicyStore } from './sql-policy-store.ts'
import { SqlRecordingStore } from './sql-recording-store.ts'
import { SqlRetentionClockStore } from './sql-retention-clock-store.ts'
import { SqlShadowStore } from './sql-shadow-store.ts'
import { SqlFactorStore } from './sql-factor-store.ts'
import { SqlSessionStore } from './sql-session-store.ts'
import { SqlSigningKeyStore } from './sql-signing-key-store.ts'
import { SqlUpstreamStore } from './sql-upstream-store.ts'
import { SqlUsageCounterStore } from './sql-usage-counter-store.ts'
import { SqlUsageStore } from './sql-usage-store.ts'
import { SqlUsedAssertions } from './sql-used-assertions.ts'
import type { StateDatabase } from './state-database.ts'

/** The ports whose tables are in the state database. */
export interface StateStores {
  readonly functions: FunctionStore
  readonly credentials: CredentialStore
  readonly sessions: SessionStore
  readonly factors: FactorStore
  readonly credentialUses: CredentialUseStore
  readonly closures: ClosureStore
  readonly usage: UsageStore
  readonly logPositions: LogPositionStore
  readonly cosignatures: CosignatureStore
  readonly usageCounters: UsageCounterStore
  readonly runs: RunStore
  readonly policies: PolicyStore
  readonly shadows: ShadowStore
  readonly namespaces: NamespaceStore
  readonly authorizations: AuthorizationStore
  readonly oauthClients: OAuthClientStore
  readonly signingKeys: SigningKeyStore
  readonly usedAssertions: UsedAssertions
  readonly upstreams: UpstreamStore
  readonly approvals: ApprovalStore
  readonly recordings: RecordingStore
  readonly retentionClock: RetentionClockStore
}

/** The stores of both databases: they differ in how statements are compiled and where they run, and in nothing else. */
export function createStateStores(state: StateDatabase): StateStores {
  return {
    functions: new SqlFunctionStore(state),
    credentials: new SqlCredentialStore(state),
    sessions: new SqlSessionStore(state),
    factors: new SqlFactorStore(state),
    credentialUses: new SqlCredentialUseStore(state),
    closures: new SqlClosureStore(state),
    usage: new SqlUsageStore(state),
    logPositions: new SqlLogPositionStore(state),
    cosignatures: new SqlCosignatureStore(state),
    runs: new SqlRunStore(state),
    usageCounters: new SqlUsageCounterStore(state),
    policies: new SqlPolicyStore(state),
    shadows: new SqlShadowStore(state),
    namespaces: new SqlNamespaceStore(state),
    authorizations: new SqlAuthorizationStore(state),
    oauthClients: new SqlOAuthClientStore(state),
    signingKeys: new SqlSigningKeyStore(state),
    usedAssertions: new SqlUsedAssertions(state),
    upstreams: new SqlUpstreamStore(state),
    approvals: new SqlApprovalStore(state),
    recordings: new SqlRecordingStore(state),
    retentionClock: new SqlRetentionClockStore(state),
  }
}
