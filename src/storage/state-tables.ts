/** Tables of the state database, for kysely. Times are Unix milliseconds; `json` columns hold JSON text. */
export interface StateTables {
  readonly namespaces: { name: string; created_at_ms: number; created_by: string }
  readonly principals: {
    id: string
    type: 'agent' | 'user'
    name: string
    namespace: string | null
    groups_json: string
    owner_id: string | null
    disabled_at_ms: number | null
    /** 0 or 1. */
    sender_constrained_only: number
    created_at_ms: number
    revoked_at_ms: number | null
  }
  readonly credentials: {
    id: string
    kind: 'client' | 'grant' | 'binding'
    principal_id: string
    label: string
    scopes_json: string
    details_json: string
    created_at_ms: number
    expires_at_ms: number | null
    revoked_at_ms: number | null
  }
  readonly namespace_closures: {
    /** Name of a namespace; empty for all. */
    scope: string
    closed_at_ms: number
    closed_by: string
    reason: string
  }
  readonly approval_links: {
    id: string
    namespace: string
    approval_id: string
    user_id: string
    made_by: string
    made_at_ms: number
    expires_at_ms: number
    used_at_ms: number | null
  }
  readonly approvals: {
    namespace: string
    id: string
    binding: string
    status: 'pending' | 'approved' | 'denied' | 'spent' | 'expired'
    requester_type: 'agent' | 'user'
    requester_id: string
    actors_json: string
    door: string
    tool: string
    service: string
    definition_hash: string
    code_hash: string | null
    rules_json: string
    reasons_json: string
    call: string
    sealed_arguments: Uint8Array | null
    requested_at_ms: number
    expires_at_ms: number
    decided_by: string | null
    decided_at_ms: number | null
    comment: string
    spent_at_ms: number | null
    spent_by_call: string | null
  }
  readonly credential_uses: { credential_id: string; last_used_at_ms: number }
  readonly log_positions: { reader: string; record_id: string }
  readonly cosignatures: {
    namespace: string
    period: string
    witness: string
    /** Records under the checkpoint. */
    size: number
    time_s: number
    line: string
  }
  readonly usage_counters: {
    namespace: string
    principal_id: string
    /** Empty for the principal's use in all. */
    target: string
    /** Days since 1970-01-01 in UTC. */
    day: number
    calls: number
    bytes_out: number
    spend: number
    /** Pairs of a second and its calls. */
    minute_json: string
    through_index: number
  }
  readonly runs: {
    namespace: string
    principal_id: string
    id: string
    labels_json: string
    last_used_ms: number
  }
  readonly usage_marks: { namespace: string; through_index: number; at_ms: number }
  readonly daily_usage: {
    /** Date in UTC, `2026-11-21`. */
    day: string
    holder_kind: 'agent' | 'user' | 'namespace'
    holder_id: string
    calls: number
    bytes_in: number
  }
  readonly api_keys: {
    id: string
    principal_id: string
    label: string
    secret_sha256: string
    scopes_json: string
    created_at_ms: number
    expires_at_ms: number | null
    revoked_at_ms: number | null
  }
  readonly sessions: {
    id: string
    token_sha256: string
    user_id: string
    method: 'passkey' | 'password' | 'oidc'
    began_at_ms: number
    expires_at_ms: number
    last_used_at_ms: number
    ended_at_ms: number | null
    address: string
    claimed_name: string | null
  }
  readonly oauth_artifacts: {
    model: string
    id_hash: string
    grant_id: string | null
    sealed: Uint8Array
    expires_at_ms: number
    consumed_at_ms: number | null
  }
  readonly revoked_tokens: { token_id_hash: string; expires_at_ms: number }
  readonly oauth_clients: {
    id: string
    source: 'operator' | 'registration'
    name: string
    metadata_json: string
    created_at_ms: number
    created_by: string
    expires_at_ms: number | null
  }
  readonly signing_keys: {
    kid: string
    algorithm: 'ES256' | 'EdDSA'
    public_jwk_json: string
    sealed_private: Uint8Array
    created_at_ms: number
    retired_at_ms: number | null
  }
  readonly used_assertions: { id_hash: string; until_ms: number }
  readonly passkeys: {
    id: string
    user_id: string
    label: string
    public_key: Uint8Array
    counter: number
    relying_party: string
    transports_json: string
    /** 0 or 1. */
    backed_up: number
    created_at_ms: number
    last_used_at_ms: number | null
  }
  readonly passwords: { user_id: string; hash: string; set_at_ms: number }
  readonly linked_accounts: {
    issuer: string
    subject: string
    user_id: string
    /** 0 or 1. */
    roles_follow: number
    linked_at_ms: number
  }
  readonly one_time_links: {
    id: string
    token_sha256: string
    user_id: string | null
    created_at_ms: number
    expires_at_ms: number
    used_at_ms: number | null
  }
  readonly upstream_servers: {
    namespace: string
    name: string
    url: string
    method: 'oauth' | 'client-credentials' | 'header'
    owner: 'namespace' | 'user'
    issuer: string | null
    client_id: string | null
    scopes_json: string
    header: string
    prefix: string
    created_at_ms: number
    created_by: string
  }
  readonly upstream_secrets: {
    namespace: string
    server: string
    /** User id, or empty for the namespace. */
    owner_id: string
    kind: 'client' | 'tokens' | 'header'
    version: number
    epoch: number
    sealed: Uint8Array
    status: 'connected' | 'needs-consent'
    expires_at_ms: number | null
    refreshing_since_ms: number | null
    failures: number
    retry_at_ms: number | null
    changed_at_ms: number
  }
  /** Days; 0 for ever, `null` for the configuration's. */
  readonly recording_settings: {
    namespace: string
    level: string | null
    body_days: number | null
    record_days: number | null
  }
  readonly retention_clock: { one: number; time_ms: number }
  readonly upstream_data_keys: {
    namespace: string
    epoch: number
    wrapping_key_id: string
    wrapped: Uint8Array
    created_at_ms: number
  }
  readonly function_versions: FunctionKey & {
    version_hash: string
    code_hash: string
    runtime: string
    entry_file: string
    entry_name: string
    title: string | null
    description: string
    input_schema_json: string
    output_schema_json: string | null
    annotations_json: string
    limits_json: string
    calls_json: string
    labels_json: string
    created_at_ms: number
    created_by: string
  }
  readonly function_files: FunctionKey & { version_hash: string; path: string; content: Uint8Array }
  readonly active_functions: FunctionKey & { version_hash: string }
  readonly policy_shadows: {
    namespace: string
    policy_set_hash: string
    sources_json: string
    set_at_ms: number
    set_by: string
    comment: string
  }
  readonly policy_sets: { namespace: string; policy_set_hash: string; sources_json: string }
  readonly built_in_policies: { text_hash: string; ordinal: number; text: string }
  readonly policy_activations: {
    namespace: string
    /** Counts the activations of the namespace, from 1. */
    ordinal: number
    policy_set_hash: string
    activated_at_ms: number
    activated_by: string
    comment: string
  }
}

interface FunctionKey {
  namespace: string
  service: string
  name: string
}
