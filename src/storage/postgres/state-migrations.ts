/**
 * Scripts that bring the state of a PostgreSQL database from one version to the next: the same tables, columns and
 * indexes as `stateMigrations` ends in, which a test compares. Whoever adds there adds here. Never edited once released.
 *
 * Text sorts by its bytes, as in SQLite, whatever the locale of the database.
 */
export const postgresStateMigrations: readonly string[] = [
  // Which server is active (lease.ts). SQLite has a file lock for that.
  `
  CREATE TABLE server_lease (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one), epoch BIGINT NOT NULL, holder TEXT NOT NULL, host TEXT NOT NULL,
    process BIGINT NOT NULL, backend_start TEXT NOT NULL, key_check TEXT NOT NULL, taken_at TIMESTAMPTZ NOT NULL
  );
  `,
  `
  CREATE TABLE namespaces (
    name TEXT COLLATE "C" PRIMARY KEY, created_at_ms BIGINT NOT NULL, created_by TEXT COLLATE "C" NOT NULL
  );
  CREATE TABLE principals (
    id TEXT COLLATE "C" PRIMARY KEY, type TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C", groups_json TEXT COLLATE "C" NOT NULL, created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT, owner_id TEXT COLLATE "C", disabled_at_ms BIGINT,
    sender_constrained_only BIGINT NOT NULL DEFAULT 0
  );
  CREATE TABLE api_keys (
    id TEXT COLLATE "C" PRIMARY KEY, principal_id TEXT COLLATE "C" NOT NULL REFERENCES principals (id),
    label TEXT COLLATE "C" NOT NULL, secret_sha256 TEXT COLLATE "C" NOT NULL UNIQUE,
    scopes_json TEXT COLLATE "C" NOT NULL, created_at_ms BIGINT NOT NULL, expires_at_ms BIGINT, revoked_at_ms BIGINT
  );
  CREATE TABLE function_versions (
    namespace TEXT COLLATE "C" NOT NULL, service TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL,
    version_hash TEXT COLLATE "C" NOT NULL, code_hash TEXT COLLATE "C" NOT NULL, runtime TEXT COLLATE "C" NOT NULL,
    entry_file TEXT COLLATE "C" NOT NULL, entry_name TEXT COLLATE "C" NOT NULL, title TEXT COLLATE "C",
    description TEXT COLLATE "C" NOT NULL, input_schema_json TEXT COLLATE "C" NOT NULL,
    output_schema_json TEXT COLLATE "C", annotations_json TEXT COLLATE "C" NOT NULL,
    limits_json TEXT COLLATE "C" NOT NULL, created_at_ms BIGINT NOT NULL, created_by TEXT COLLATE "C" NOT NULL,
    calls_json TEXT COLLATE "C" NOT NULL DEFAULT '[]', labels_json TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    PRIMARY KEY (namespace, service, name, version_hash)
  );
  CREATE TABLE function_files (
    namespace TEXT COLLATE "C" NOT NULL, service TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL,
    version_hash TEXT COLLATE "C" NOT NULL, path TEXT COLLATE "C" NOT NULL, content BYTEA NOT NULL,
    PRIMARY KEY (namespace, service, name, version_hash, path),
    FOREIGN KEY (namespace, service, name, version_hash) REFERENCES function_versions (namespace, service, name, version_hash)
  );
  CREATE TABLE active_functions (
    namespace TEXT COLLATE "C" NOT NULL, service TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL,
    version_hash TEXT COLLATE "C" NOT NULL, PRIMARY KEY (namespace, service, name),
    FOREIGN KEY (namespace, service, name, version_hash) REFERENCES function_versions (namespace, service, name, version_hash)
  );
  CREATE TABLE policy_sets (
    namespace TEXT COLLATE "C" NOT NULL, policy_set_hash TEXT COLLATE "C" NOT NULL,
    sources_json TEXT COLLATE "C" NOT NULL, PRIMARY KEY (namespace, policy_set_hash)
  );
  CREATE TABLE policy_activations (
    namespace TEXT COLLATE "C" NOT NULL, ordinal BIGINT NOT NULL, policy_set_hash TEXT COLLATE "C" NOT NULL,
    activated_at_ms BIGINT NOT NULL, activated_by TEXT COLLATE "C" NOT NULL, comment TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, ordinal),
    FOREIGN KEY (namespace, policy_set_hash) REFERENCES policy_sets (namespace, policy_set_hash)
  );
  CREATE TABLE credentials (
    id TEXT COLLATE "C" PRIMARY KEY, kind TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL REFERENCES principals (id), label TEXT COLLATE "C" NOT NULL,
    scopes_json TEXT COLLATE "C" NOT NULL, details_json TEXT COLLATE "C" NOT NULL, created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT, revoked_at_ms BIGINT
  );
  CREATE TABLE sessions (
    id TEXT COLLATE "C" PRIMARY KEY, token_sha256 TEXT COLLATE "C" NOT NULL UNIQUE,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES principals (id), method TEXT COLLATE "C" NOT NULL,
    began_at_ms BIGINT NOT NULL, expires_at_ms BIGINT NOT NULL, last_used_at_ms BIGINT NOT NULL, ended_at_ms BIGINT,
    address TEXT COLLATE "C" NOT NULL, claimed_name TEXT COLLATE "C"
  );
  CREATE TABLE passkeys (
    id TEXT COLLATE "C" PRIMARY KEY, user_id TEXT COLLATE "C" NOT NULL REFERENCES principals (id),
    label TEXT COLLATE "C" NOT NULL, public_key BYTEA NOT NULL, counter BIGINT NOT NULL,
    relying_party TEXT COLLATE "C" NOT NULL, transports_json TEXT COLLATE "C" NOT NULL, backed_up BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL, last_used_at_ms BIGINT
  );
  CREATE TABLE passwords (
    user_id TEXT COLLATE "C" PRIMARY KEY REFERENCES principals (id), hash TEXT COLLATE "C" NOT NULL,
    set_at_ms BIGINT NOT NULL
  );
  CREATE TABLE linked_accounts (
    issuer TEXT COLLATE "C" NOT NULL, subject TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES principals (id), roles_follow BIGINT NOT NULL,
    linked_at_ms BIGINT NOT NULL, PRIMARY KEY (issuer, subject)
  );
  CREATE TABLE one_time_links (
    id TEXT COLLATE "C" PRIMARY KEY, token_sha256 TEXT COLLATE "C" NOT NULL UNIQUE,
    user_id TEXT COLLATE "C" REFERENCES principals (id), created_at_ms BIGINT NOT NULL, expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT
  );
  CREATE TABLE oauth_artifacts (
    model TEXT COLLATE "C" NOT NULL, id_hash TEXT COLLATE "C" NOT NULL, grant_id TEXT COLLATE "C",
    sealed BYTEA NOT NULL, expires_at_ms BIGINT NOT NULL, consumed_at_ms BIGINT, PRIMARY KEY (model, id_hash)
  );
  CREATE INDEX oauth_artifacts_by_grant ON oauth_artifacts (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX oauth_artifacts_by_expiry ON oauth_artifacts (expires_at_ms);
  CREATE TABLE revoked_tokens (
    token_id_hash TEXT COLLATE "C" PRIMARY KEY, expires_at_ms BIGINT NOT NULL
  );
  CREATE TABLE oauth_clients (
    id TEXT COLLATE "C" PRIMARY KEY, source TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL,
    metadata_json TEXT COLLATE "C" NOT NULL, created_at_ms BIGINT NOT NULL, created_by TEXT COLLATE "C" NOT NULL,
    expires_at_ms BIGINT
  );
  CREATE TABLE signing_keys (
    kid TEXT COLLATE "C" PRIMARY KEY, algorithm TEXT COLLATE "C" NOT NULL, public_jwk_json TEXT COLLATE "C" NOT NULL,
    sealed_private BYTEA NOT NULL, created_at_ms BIGINT NOT NULL, retired_at_ms BIGINT
  );
  CREATE TABLE used_assertions (
    id_hash TEXT COLLATE "C" PRIMARY KEY, until_ms BIGINT NOT NULL
  );
  CREATE INDEX used_assertions_by_time ON used_assertions (until_ms);
  CREATE TABLE namespace_closures (
    scope TEXT COLLATE "C" PRIMARY KEY, closed_at_ms BIGINT NOT NULL, closed_by TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL
  );
  CREATE TABLE credential_uses (
    credential_id TEXT COLLATE "C" PRIMARY KEY, last_used_at_ms BIGINT NOT NULL
  );
  CREATE TABLE upstream_servers (
    namespace TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL, url TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL, owner TEXT COLLATE "C" NOT NULL, issuer TEXT COLLATE "C",
    client_id TEXT COLLATE "C", scopes_json TEXT COLLATE "C" NOT NULL, header TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL, created_at_ms BIGINT NOT NULL, created_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, name)
  );
  CREATE TABLE upstream_secrets (
    namespace TEXT COLLATE "C" NOT NULL, server TEXT COLLATE "C" NOT NULL, owner_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL, version BIGINT NOT NULL, epoch BIGINT NOT NULL, sealed BYTEA NOT NULL,
    status TEXT COLLATE "C" NOT NULL, expires_at_ms BIGINT, refreshing_since_ms BIGINT, failures BIGINT NOT NULL,
    retry_at_ms BIGINT, changed_at_ms BIGINT NOT NULL, PRIMARY KEY (namespace, server, owner_id, kind)
  );
  CREATE INDEX upstream_secrets_by_expiry ON upstream_secrets (expires_at_ms) WHERE kind = 'tokens';
  CREATE TABLE upstream_data_keys (
    namespace TEXT COLLATE "C" NOT NULL, epoch BIGINT NOT NULL, wrapping_key_id TEXT COLLATE "C" NOT NULL,
    wrapped BYTEA NOT NULL, created_at_ms BIGINT NOT NULL, PRIMARY KEY (namespace, epoch)
  );
  CREATE TABLE daily_usage (
    day TEXT COLLATE "C" NOT NULL, holder_kind TEXT COLLATE "C" NOT NULL, holder_id TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL, bytes_in BIGINT NOT NULL, PRIMARY KEY (day, holder_kind, holder_id)
  );
  CREATE TABLE log_positions (
    reader TEXT COLLATE "C" PRIMARY KEY, record_id TEXT COLLATE "C" NOT NULL
  );
  CREATE TABLE usage_counters (
    namespace TEXT COLLATE "C" NOT NULL, principal_id TEXT COLLATE "C" NOT NULL, target TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL, calls BIGINT NOT NULL, bytes_out BIGINT NOT NULL, spend BIGINT NOT NULL,
    minute_json TEXT COLLATE "C" NOT NULL, through_index BIGINT NOT NULL,
    PRIMARY KEY (namespace, principal_id, target)
  );
  CREATE TABLE usage_marks (
    namespace TEXT COLLATE "C" PRIMARY KEY, through_index BIGINT NOT NULL, at_ms BIGINT NOT NULL
  );
  CREATE TABLE approvals (
    namespace TEXT COLLATE "C" NOT NULL, id TEXT COLLATE "C" NOT NULL, binding TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL, requester_type TEXT COLLATE "C" NOT NULL,
    requester_id TEXT COLLATE "C" NOT NULL, actors_json TEXT COLLATE "C" NOT NULL, door TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C" NOT NULL, service TEXT COLLATE "C" NOT NULL, definition_hash TEXT COLLATE "C" NOT NULL,
    code_hash TEXT COLLATE "C", rules_json TEXT COLLATE "C" NOT NULL, reasons_json TEXT COLLATE "C" NOT NULL,
    call TEXT COLLATE "C" NOT NULL, sealed_arguments BYTEA, requested_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL, decided_by TEXT COLLATE "C", decided_at_ms BIGINT,
    comment TEXT COLLATE "C" NOT NULL, spent_at_ms BIGINT, spent_by_call TEXT COLLATE "C", PRIMARY KEY (namespace, id)
  );
  CREATE UNIQUE INDEX approvals_open ON approvals (namespace, binding) WHERE status IN ('pending', 'approved', 'denied');
  CREATE INDEX approvals_by_requester ON approvals (namespace, requester_id, requested_at_ms);
  CREATE INDEX approvals_by_status ON approvals (namespace, status);
  CREATE TABLE runs (
    namespace TEXT COLLATE "C" NOT NULL, principal_id TEXT COLLATE "C" NOT NULL, id TEXT COLLATE "C" NOT NULL,
    labels_json TEXT COLLATE "C" NOT NULL, last_used_ms BIGINT NOT NULL, PRIMARY KEY (namespace, principal_id)
  );
  CREATE TABLE policy_shadows (
    namespace TEXT COLLATE "C" PRIMARY KEY, policy_set_hash TEXT COLLATE "C" NOT NULL,
    sources_json TEXT COLLATE "C" NOT NULL, set_at_ms BIGINT NOT NULL, set_by TEXT COLLATE "C" NOT NULL,
    comment TEXT COLLATE "C" NOT NULL
  );
  CREATE TABLE approval_links (
    id TEXT COLLATE "C" PRIMARY KEY, namespace TEXT COLLATE "C" NOT NULL, approval_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL, made_by TEXT COLLATE "C" NOT NULL, made_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL, used_at_ms BIGINT
  );
  CREATE INDEX approvals_by_binding ON approvals (namespace, binding, status);
  CREATE INDEX approvals_by_expiry ON approvals (status, expires_at_ms);
  `,
  `
  CREATE TABLE cosignatures (
    namespace TEXT COLLATE "C" NOT NULL, period TEXT COLLATE "C" NOT NULL, witness TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL, time_s BIGINT NOT NULL, line TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, period, witness, size)
  );
  `,
  `
  CREATE TABLE recording_settings (
    namespace TEXT COLLATE "C" PRIMARY KEY, level TEXT COLLATE "C", body_days BIGINT, record_days BIGINT
  );
  `,
  `
  CREATE TABLE retention_clock (one BIGINT PRIMARY KEY CHECK (one = 1), time_ms BIGINT NOT NULL);
  `,
  `
  CREATE TABLE built_in_policies (
    text_hash TEXT COLLATE "C" PRIMARY KEY, ordinal BIGINT NOT NULL, text TEXT COLLATE "C" NOT NULL
  );
  `,
]
