/** Scripts that bring the state database from one version to the next. Never edited once released; only added to. */
export const stateMigrations: readonly string[] = [
  `
  CREATE TABLE namespaces (
    name TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL, created_by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE principals (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, namespace TEXT, groups_json TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, revoked_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, principal_id TEXT NOT NULL REFERENCES principals (id), label TEXT NOT NULL,
    secret_sha256 TEXT NOT NULL UNIQUE, scopes_json TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER, revoked_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE function_versions (
    namespace TEXT NOT NULL, service TEXT NOT NULL, name TEXT NOT NULL, version_hash TEXT NOT NULL,
    code_hash TEXT NOT NULL, runtime TEXT NOT NULL, entry_file TEXT NOT NULL, entry_name TEXT NOT NULL,
    title TEXT, description TEXT NOT NULL, input_schema_json TEXT NOT NULL, output_schema_json TEXT,
    annotations_json TEXT NOT NULL, limits_json TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, created_by TEXT NOT NULL,
    PRIMARY KEY (namespace, service, name, version_hash)
  ) STRICT;
  CREATE TABLE function_files (
    namespace TEXT NOT NULL, service TEXT NOT NULL, name TEXT NOT NULL, version_hash TEXT NOT NULL,
    path TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (namespace, service, name, version_hash, path),
    FOREIGN KEY (namespace, service, name, version_hash)
      REFERENCES function_versions (namespace, service, name, version_hash)
  ) STRICT;
  CREATE TABLE active_functions (
    namespace TEXT NOT NULL, service TEXT NOT NULL, name TEXT NOT NULL, version_hash TEXT NOT NULL,
    PRIMARY KEY (namespace, service, name),
    FOREIGN KEY (namespace, service, name, version_hash)
      REFERENCES function_versions (namespace, service, name, version_hash)
  ) STRICT;
  CREATE TABLE policy_sets (
    namespace TEXT NOT NULL, policy_set_hash TEXT NOT NULL, sources_json TEXT NOT NULL,
    PRIMARY KEY (namespace, policy_set_hash)
  ) STRICT;
  CREATE TABLE policy_activations (
    namespace TEXT NOT NULL, ordinal INTEGER NOT NULL, policy_set_hash TEXT NOT NULL,
    activated_at_ms INTEGER NOT NULL, activated_by TEXT NOT NULL, comment TEXT NOT NULL,
    PRIMARY KEY (namespace, ordinal),
    FOREIGN KEY (namespace, policy_set_hash) REFERENCES policy_sets (namespace, policy_set_hash)
  ) STRICT, WITHOUT ROWID;
  `,
  `ALTER TABLE function_versions ADD COLUMN calls_json TEXT NOT NULL DEFAULT '[]'`,
  `
  ALTER TABLE principals ADD COLUMN owner_id TEXT;
  ALTER TABLE principals ADD COLUMN disabled_at_ms INTEGER;
  ALTER TABLE principals ADD COLUMN sender_constrained_only INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE credentials (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, principal_id TEXT NOT NULL REFERENCES principals (id),
    label TEXT NOT NULL, scopes_json TEXT NOT NULL, details_json TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER, revoked_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, token_sha256 TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES principals (id),
    method TEXT NOT NULL, began_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL,
    last_used_at_ms INTEGER NOT NULL, ended_at_ms INTEGER, address TEXT NOT NULL, claimed_name TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE passkeys (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES principals (id), label TEXT NOT NULL,
    public_key BLOB NOT NULL, counter INTEGER NOT NULL, relying_party TEXT NOT NULL, transports_json TEXT NOT NULL,
    backed_up INTEGER NOT NULL, created_at_ms INTEGER NOT NULL, last_used_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE passwords (
    user_id TEXT PRIMARY KEY REFERENCES principals (id), hash TEXT NOT NULL, set_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE linked_accounts (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, user_id TEXT NOT NULL REFERENCES principals (id),
    roles_follow INTEGER NOT NULL, linked_at_ms INTEGER NOT NULL, PRIMARY KEY (issuer, subject)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE one_time_links (
    id TEXT PRIMARY KEY, token_sha256 TEXT NOT NULL UNIQUE, user_id TEXT REFERENCES principals (id),
    created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, used_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE oauth_artifacts (
    model TEXT NOT NULL, id_hash TEXT NOT NULL, grant_id TEXT, sealed BLOB NOT NULL,
    expires_at_ms INTEGER NOT NULL, consumed_at_ms INTEGER,
    PRIMARY KEY (model, id_hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX oauth_artifacts_by_grant ON oauth_artifacts (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX oauth_artifacts_by_expiry ON oauth_artifacts (expires_at_ms);
  CREATE TABLE revoked_tokens (token_id_hash TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE oauth_clients (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, name TEXT NOT NULL, metadata_json TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, created_by TEXT NOT NULL, expires_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY, algorithm TEXT NOT NULL, public_jwk_json TEXT NOT NULL, sealed_private BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL, retired_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE used_assertions (id_hash TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX used_assertions_by_time ON used_assertions (until_ms);
  `,
  `
  CREATE TABLE namespace_closures (
    scope TEXT PRIMARY KEY, closed_at_ms INTEGER NOT NULL, closed_by TEXT NOT NULL, reason TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE credential_uses (
    credential_id TEXT PRIMARY KEY, last_used_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE upstream_servers (
    namespace TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL, method TEXT NOT NULL, owner TEXT NOT NULL,
    issuer TEXT, client_id TEXT, scopes_json TEXT NOT NULL, header TEXT NOT NULL, prefix TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL, created_by TEXT NOT NULL, PRIMARY KEY (namespace, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE upstream_secrets (
    namespace TEXT NOT NULL, server TEXT NOT NULL, owner_id TEXT NOT NULL, kind TEXT NOT NULL,
    version INTEGER NOT NULL, epoch INTEGER NOT NULL, sealed BLOB NOT NULL, status TEXT NOT NULL,
    expires_at_ms INTEGER, refreshing_since_ms INTEGER, failures INTEGER NOT NULL, retry_at_ms INTEGER,
    changed_at_ms INTEGER NOT NULL, PRIMARY KEY (namespace, server, owner_id, kind)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX upstream_secrets_by_expiry ON upstream_secrets (expires_at_ms) WHERE kind = 'tokens';
  CREATE TABLE upstream_data_keys (
    namespace TEXT NOT NULL, epoch INTEGER NOT NULL, wrapping_key_id TEXT NOT NULL, wrapped BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL, PRIMARY KEY (namespace, epoch)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE daily_usage (
    day TEXT NOT NULL, holder_kind TEXT NOT NULL, holder_id TEXT NOT NULL,
    calls INTEGER NOT NULL, bytes_in INTEGER NOT NULL, PRIMARY KEY (day, holder_kind, holder_id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE log_positions (reader TEXT PRIMARY KEY, record_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE usage_counters (
    namespace TEXT NOT NULL, principal_id TEXT NOT NULL, target TEXT NOT NULL, day INTEGER NOT NULL,
    calls INTEGER NOT NULL, bytes_out INTEGER NOT NULL, spend INTEGER NOT NULL, minute_json TEXT NOT NULL,
    through_index INTEGER NOT NULL, PRIMARY KEY (namespace, principal_id, target)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE usage_marks (
    namespace TEXT PRIMARY KEY, through_index INTEGER NOT NULL, at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE approvals (
    namespace TEXT NOT NULL, id TEXT NOT NULL, binding TEXT NOT NULL, status TEXT NOT NULL,
    requester_type TEXT NOT NULL, requester_id TEXT NOT NULL, actors_json TEXT NOT NULL, door TEXT NOT NULL,
    tool TEXT NOT NULL, service TEXT NOT NULL, definition_hash TEXT NOT NULL, code_hash TEXT,
    rules_json TEXT NOT NULL, reasons_json TEXT NOT NULL, call TEXT NOT NULL, sealed_arguments BLOB,
    requested_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, decided_by TEXT, decided_at_ms INTEGER,
    comment TEXT NOT NULL, spent_at_ms INTEGER, spent_by_call TEXT, PRIMARY KEY (namespace, id)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX approvals_open ON approvals (namespace, binding)
    WHERE status IN ('pending', 'approved', 'denied');
  CREATE INDEX approvals_by_requester ON approvals (namespace, requester_id, requested_at_ms);
  CREATE INDEX approvals_by_status ON approvals (namespace, status);
  `,
  `
  ALTER TABLE function_versions ADD COLUMN labels_json TEXT NOT NULL DEFAULT '[]';
  CREATE TABLE runs (
    namespace TEXT NOT NULL, principal_id TEXT NOT NULL, id TEXT NOT NULL, labels_json TEXT NOT NULL,
    last_used_ms INTEGER NOT NULL, PRIMARY KEY (namespace, principal_id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE policy_shadows (
    namespace TEXT PRIMARY KEY, policy_set_hash TEXT NOT NULL, sources_json TEXT NOT NULL,
    set_at_ms INTEGER NOT NULL, set_by TEXT NOT NULL, comment TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE approval_links (
    id TEXT PRIMARY KEY, namespace TEXT NOT NULL, approval_id TEXT NOT NULL, user_id TEXT NOT NULL,
    made_by TEXT NOT NULL, made_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, used_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE INDEX approvals_by_binding ON approvals (namespace, binding, status);
  CREATE INDEX approvals_by_expiry ON approvals (status, expires_at_ms);
  `,
  `
  CREATE TABLE cosignatures (
    namespace TEXT NOT NULL, period TEXT NOT NULL, witness TEXT NOT NULL, size INTEGER NOT NULL,
    time_s INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY (namespace, period, witness, size)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Days; 0 stands for ever, and no value for what the configuration says.
  CREATE TABLE recording_settings (
    namespace TEXT PRIMARY KEY, level TEXT, body_days INTEGER, record_days INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The time that retention has counted up to.
  CREATE TABLE retention_clock (one INTEGER PRIMARY KEY CHECK (one = 1), time_ms INTEGER NOT NULL) STRICT;
  `,
  `
  -- The platform's own policies of each version that was started: recorded decisions name sets that they are a part of.
  CREATE TABLE built_in_policies (text_hash TEXT PRIMARY KEY, ordinal INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
  `,
]
