import { existsSync, statSync } from 'node:fs'
import type { ApprovalStore } from '../approvals/index.ts'
import type { DecisionLog, LogPositionStore, LogSearch, RecordProver } from '../audit/index.ts'
import type {
  AuthorizationStore,
  ClosureStore,
  CredentialStore,
  CredentialUseStore,
  MasterKey,
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
import { McpworksError, type Clock } from '../kernel/index.ts'
import type { PolicyStore, ShadowStore } from '../policy/index.ts'
import { dataDirectoryPaths, loadMasterKey, masterKeyBytes, prepareDataDirectory } from './data-directory.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import { masterKeyOf } from './master-key.ts'
import type { NamespaceStore } from './namespace-store.ts'
import { SearchClient } from './search/search-client.ts'
import { SqlApprovalStore } from './sql-approval-store.ts'
import { SqlAuthorizationStore } from './sql-authorization-store.ts'
import { SqlClosureStore } from './sql-closure-store.ts'
import { SqlCredentialStore } from './sql-credential-store.ts'
import { SqlCredentialUseStore } from './sql-credential-use-store.ts'
import { SqlFunctionStore } from './sql-function-store.ts'
import { SqlLogPositionStore } from './sql-log-position-store.ts'
import { SqlNamespaceStore } from './sql-namespace-store.ts'
import { SqlOAuthClientStore } from './sql-oauth-client-store.ts'
import { SqlRunStore } from './sql-run-store.ts'
import { SqlPolicyStore } from './sql-policy-store.ts'
import { SqlShadowStore } from './sql-shadow-store.ts'
import { SqlFactorStore } from './sql-factor-store.ts'
import { SqlSessionStore } from './sql-session-store.ts'
import { SqlSigningKeyStore } from './sql-signing-key-store.ts'
import { SqlUpstreamStore } from './sql-upstream-store.ts'
import { SqliteDecisionLog } from './sqlite-decision-log.ts'
import { SqlUsageCounterStore } from './sql-usage-counter-store.ts'
import { SqlUsageStore } from './sql-usage-store.ts'
import { SqlUsedAssertions } from './sql-used-assertions.ts'
import { openStateDatabase } from './state-database.ts'
import { WorkerClient } from './worker-client.ts'

/** How storage is opened. */
export interface StorageOptions {
  /** Made with mode 0700 if it is not there. */
  readonly dataDirectory: string
  readonly clock: Clock
  /** 32 bytes. Without it, `master.key` in the data directory is used, and made at first start. */
  readonly masterKey?: Uint8Array
  /** Upper bound of the audit database in pages of 4096 bytes. Reaching it is the same as a full disk. */
  readonly auditMaxPages?: number
}

/** All ports that keep something. */
export interface Storage {
  readonly decisionLog: DecisionLog & RecordProver
  readonly logSearch: LogSearch
  readonly functions: FunctionStore
  readonly credentials: CredentialStore
  readonly sessions: SessionStore
  readonly factors: FactorStore
  readonly credentialUses: CredentialUseStore
  readonly closures: ClosureStore
  readonly usage: UsageStore
  readonly logPositions: LogPositionStore
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
  readonly masterKey: MasterKey
  /** Waits for what is being written, signs the last checkpoints, closes and gives the data directory free. */
  close(): Promise<void>
}

/**
 * Opens a data directory for this process alone and writes `abandoned` for every allowed call that a former process
 * left without an outcome. Nothing is written by this thread: one worker owns both databases.
 * @throws McpworksError `data_directory_in_use`, `storage_unavailable`
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { dataDirectory, clock } = options
  if (options.masterKey !== undefined && options.masterKey.length !== masterKeyBytes) {
    throw new McpworksError('config_invalid', { message: `The master key must be ${masterKeyBytes} bytes.` })
  }
  const paths = dataDirectoryPaths(dataDirectory)
  prepareDataDirectory(dataDirectory, paths)
  const lock = lockDataDirectory(paths)
  try {
    const isNew = !existsSync(paths.audit) || statSync(paths.audit).size === 0
    const masterKey = options.masterKey ?? loadMasterKey(paths.masterKey, isNew)
    const client = await WorkerClient.start({
      auditPath: paths.audit,
      statePath: paths.state,
      publicKeyPath: paths.publicKey,
      masterKey,
      startedAtMs: clock.nowMs(),
      auditMaxPages: options.auditMaxPages ?? null,
    })
    const decisionLog = new SqliteDecisionLog({ client, auditPath: paths.audit, masterKey, clock })
    const logSearch = new SearchClient({ auditPath: paths.audit, searchPath: paths.search })
    const state = openStateDatabase(client)
    return {
      decisionLog,
      logSearch,
      functions: new SqlFunctionStore(state),
      credentials: new SqlCredentialStore(state),
      sessions: new SqlSessionStore(state),
      factors: new SqlFactorStore(state),
      credentialUses: new SqlCredentialUseStore(state),
      closures: new SqlClosureStore(state),
      usage: new SqlUsageStore(state),
      logPositions: new SqlLogPositionStore(state),
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
      masterKey: masterKeyOf(masterKey),
      async close() {
        try {
          await logSearch.close()
          await client.close()
          await decisionLog.close()
          await state.destroy()
        } finally {
          lock.release()
        }
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}
