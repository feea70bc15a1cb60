/**
 * What can happen without a decision of policy. A new line here is a way around the pipeline: it needs the reason why
 * policy cannot be asked, and the record that tells of it. Ask the pipeline wherever there is a principal that wants
 * something.
 */
export interface Exception {
  /** As `Port.member`. */
  readonly effects: readonly string[]
  readonly because: string
}

/** Effects that pages and endpoints reach, by file below `src/http`. */
export const outsideThePipeline: Readonly<Record<string, Exception>> = {
  'http-server.ts': {
    effects: ['GuardedFetch', 'UsedAssertions.claim'],
    because:
      'Finding out who asks comes before there is anybody to decide about: keys and introspection of trusted issuers, and proofs that are good once. A refusal is recorded at the door.',
  },
  'admin/session-caller.ts': {
    effects: ['SessionStore.touch'],
    because: 'When a session was last used; written as the caller is identified.',
  },
  'approvals/deciding-caller.ts': {
    effects: ['ApprovalStore.findLink'],
    because:
      'Finding out whom a link is for comes before there is anybody to decide about. What is shown and done with it is decided as for that user; a bad link is recorded at the door.',
  },
  'authorization-server/authorization-server-routes.ts': {
    effects: [
      'AuthorizationStore.consume',
      'AuthorizationStore.find',
      'AuthorizationStore.insert',
      'AuthorizationStore.put',
      'AuthorizationStore.remove',
      'AuthorizationStore.removeByGrant',
      'AuthorizationStore.revokeToken',
      'CredentialStore.insertCredential',
      'CredentialStore.revokeCredential',
      'DecisionLog.append',
      'GuardedFetch',
      'MasterKey.derive',
      'MasterKey.open',
      'MasterKey.seal',
      'OAuthClientStore.insert',
      'OAuthClientStore.remove',
      'UsedAssertions.claim',
      'WebFetch',
    ],
    because:
      'How clients get and give back tokens (RFC 6749, 7009, 7591, 9126): a token says who somebody is, and what they do with it is decided. Records: token-issued, token-revoked, client-registered, consent-given; refusals at the door.',
  },
  'authorization-server/serve-consent.ts': {
    effects: [
      'AuthorizationStore.removeByGrant',
      'CredentialStore.insertCredential',
      'CredentialStore.revokeCredential',
      'DecisionLog.append',
      'GuardedFetch',
      'SessionStore.touch',
    ],
    because:
      'A person lets a client act as an agent that is theirs already, and it gains no right: what the agent does is decided. To make an agent there goes through the pipeline. Record: consent-given.',
  },
  'sign-in/visit.ts': {
    effects: ['SessionStore.touch'],
    because: 'When a session was last used; written as the person is identified.',
  },
  'sign-in/begin-session.ts': {
    effects: ['DecisionLog.append', 'SessionStore.end', 'SessionStore.insert'],
    because: 'Signing in. Record: session-begun, durable before the cookie is sent.',
  },
  'sign-in/sign-in-page.ts': {
    effects: ['DecisionLog.append', 'FactorStore.usePasskey', 'SessionStore.end'],
    because: 'Signing in and out. Records: session-begun, session-ended; refusals at the door.',
  },
  'sign-in/set-up-page.ts': {
    effects: [
      'CredentialStore.insertPrincipal',
      'DecisionLog.append',
      'FactorStore.findLink',
      'FactorStore.insertPasskey',
      'FactorStore.setPassword',
      'FactorStore.useLink',
      'SessionStore.end',
    ],
    because:
      'Whoever holds a one-time link sets what they will sign in with; making the link was decided, or done on the machine for the first owner. Records: factor-added, user-added, session-begun.',
  },
  'sign-in/oidc-page.ts': {
    effects: [
      'CredentialStore.insertPrincipal',
      'CredentialStore.updatePrincipal',
      'DecisionLog.append',
      'FactorStore.linkAccount',
      'WebFetch',
    ],
    because:
      'Signing in at the issuer that the configuration trusts, which also says the roles. Records: user-added, roles-changed, factor-added, session-begun.',
  },
  'sign-in/account-page.ts': {
    effects: [
      'CredentialStore.revokeCredential',
      'DecisionLog.append',
      'FactorStore.insertPasskey',
      'FactorStore.removePasskey',
      'FactorStore.removePassword',
      'FactorStore.setPassword',
      'SessionStore.end',
    ],
    because:
      'What people sign in with and where they are signed in: each their own and nobody else’s, and to give up what one has must not depend on anybody. Records: factor-added, factor-removed, session-ended, credential-revoked.',
  },
  'upstream/upstream-routes.ts': {
    effects: [
      'DecisionLog.append',
      'GuardedFetch',
      'SessionStore.touch',
      'UpstreamStore.findServer',
      'UpstreamStore.setClientId',
      'UpstreamVault.find',
      'UpstreamVault.open',
      'UpstreamVault.put',
      'WebFetch',
    ],
    because:
      'The way to the authorization server of a third party and back: begun by the decision on upstream.connect, and what comes back fits that one departure and session. Record: upstream-connected.',
  },
}

/** What timers do, by file. */
export const clocks: Readonly<Record<string, Exception>> = {
  'src/app/door-records.ts': { effects: ['DecisionLog.append'], because: 'Writes the refusals of the door.' },
  'src/app/exporters/open-exporters.ts': {
    effects: ['DecisionLog.read', 'GuardedFetch', 'GuardedStream', 'LogPositionStore.keep'],
    because:
      'Sends records to the receivers that the configuration names, which is for the owner of the machine to say: no arguments, no results, no secrets. What was decided is in the records themselves.',
  },
  'src/app/exporters/open-exporting.ts': {
    effects: ['LogPositionStore.find', 'LogPositionStore.keep'],
    because: 'Keeps for the thread that hands the log on how far receivers are, when it has to be begun again.',
  },
  'src/app/exporters/open-metrics.ts': {
    effects: ['DecisionLog.read', 'GuardedFetch', 'GuardedStream', 'LogPositionStore.keep'],
    because:
      'Counts what the log tells, for the metrics. It keeps no position and sends nothing: what it follows the log with could.',
  },
  'src/app/log-followers/follow-log.ts': {
    effects: ['DecisionLog.read', 'GuardedFetch', 'GuardedStream', 'LogPositionStore.keep'],
    because:
      'Tries again what a channel or receiver of the configuration did not take. Channels are told of calls whose permit demands it: names of who, what and which rule, nothing of the call.',
  },
  'src/app/handing-on/watch-places.ts': {
    effects: ['DecisionLog.append'],
    because: 'Says where the log is not taken for long. Record: alarm.',
  },
  'src/app/notifications/open-notifications.ts': {
    effects: ['DecisionLog.read', 'LogPositionStore.keep'],
    because: 'Passes over what asked for no notification.',
  },
  'src/app/recording/start-sweeper.ts': {
    effects: [
      'DecisionLog.append',
      'DecisionLog.read',
      'LogPositionStore.find',
      'RecordKeeper.expire',
      'RecordKeeper.sweepErased',
      'RetentionClockStore.keep',
    ],
    because:
      'Deletes what is over its time as recording.set and the configuration say, and what erasure.erase left. Records: retention and erasure, in the same commit, which no hold may be against; and alarms of what it could not do.',
  },
  'src/app/shadow/shadow-records.ts': {
    effects: ['DecisionLog.append'],
    because: 'Writes what policies that are tried would have decided: they have no say.',
  },
  'src/app/start-authorization-server.ts': {
    effects: [
      'AuthorizationStore.sweep',
      'MasterKey.seal',
      'SigningKeyStore.insert',
      'SigningKeyStore.remove',
      'SigningKeyStore.retire',
    ],
    because: 'Forgets what has expired and changes signing keys when it is time.',
  },
  'src/app/upstreams.ts': {
    effects: [
      'DecisionLog.append',
      'GuardedFetch',
      'UpstreamStore.changeSecret',
      'UpstreamStore.findServer',
      'UpstreamStore.listDue',
      'UpstreamVault.find',
      'UpstreamVault.open',
      'UpstreamVault.put',
      'WebFetch',
    ],
    because: 'Refreshes credentials that somebody was allowed to connect. Record: upstream-refresh-failed.',
  },
  'src/auth/credential-use.ts': {
    effects: ['CredentialUseStore.write'],
    because: 'When credentials were last used; no more often than the store can take.',
  },
  'src/auth/limits/call-quotas.ts': { effects: ['UsageStore.add'], because: 'What was used today.' },
  'src/gateway/runs/run-ledger.ts': {
    effects: ['RunStore.save'],
    because: 'Keeps which runs there are and their labels, which decided calls have given them.',
  },
  'src/publishing/open-publishing.ts': {
    effects: ['TreeReader.newestCheckpoint', 'TreeReader.trees'],
    because:
      'Hands checkpoints and hashes of the log, and no record, to the places that the configuration names. Record: alarm, where something else lies there.',
  },
  'src/gateway/usage/open-usage-ledger.ts': {
    effects: ['UsageCounterStore.forgetBefore', 'UsageCounterStore.save'],
    because: 'Keeps what decided calls were counted as; the decision log holds it too.',
  },
}

/** What commands do with the files of this machine, without a server. */
export const commandLine: Exception = {
  effects: [
    'CosignatureStore.list',
    'DecisionLog.append',
    'FactorStore.insertLink',
    'FactorStore.voidLinks',
    'Sandbox.close',
    'TreeReader.checkpoints',
    'TreeReader.close',
    'TreeReader.hashes',
    'TreeReader.keyChanges',
    'TreeReader.publicKeyLine',
    'TreeReader.trees',
  ],
  because:
    'Whoever may read the data directory owns the machine. The first owner’s link is made when the server starts. Record: link-made.',
}

/** Members that only tests ask for. */
export const unusedInProduct: readonly string[] = [
  'src/app/door-records.ts createDoorRecords.waiting',
  'src/auth/bounded-map.ts BoundedMap.delete',
  'src/auth/limits/call-quotas.ts createCallQuotas.usedToday',
  'src/auth/upstream/upstream-vault.ts createUpstreamVault.rewrap',
  'src/http/mcp/sessions.ts createSessions.size',
]

/** Parts whose work is files, sockets and processes, and files elsewhere that touch them. */
export const rawEffects: {
  readonly folders: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
} = {
  folders: {
    'src/sandbox/': 'starts jails; below the port Sandbox',
    'src/storage/': 'the databases; below the ports of Storage',
    'src/egress/': 'the way out; below the ports GuardedFetch and GuardedStream',
    'src/cli/': 'a process of its own that acts with the rights of whoever starts it',
  },
  files: {
    'src/app/check-machine.ts': 'looks what the machine has, for doctor',
    'src/app/connection-files.ts': 'the address and the operator’s key, for commands on this machine',
    'src/app/exporters/exporting-thread.ts':
      'starts the thread that hands the log on, and asks it how far it is: for audit.exporters, which is decided, and for GET /metrics, where a scraper with a token of its own, which the owner of the machine configures, reads figures: how many calls there were of which tool, how far signing and exporters are. A record of each scrape would be most of the log. A wrong token is recorded at the door.',
    'src/app/exporters/exporting-worker.ts':
      'reads the log there, over a connection that can only read, and stands back behind the other threads',
    'src/app/replay/replay-worker.ts': 'reads the log in a thread of its own, for the operation audit.replay alone',
    'src/app/replay/run-replay.ts': 'starts that thread',
    'src/app/shadow/shadow-thread.ts': 'starts the thread in which policies are tried',
    'src/app/shadow/shadow-worker.ts': 'decides there; has no port but a policy engine of its own',
    'src/config/load-config.ts': 'reads the configuration',
    'src/exporters/file/line-files-on-disk.ts':
      'opens the file that records are added to, as the configuration says, reads its end and gives full ones other names',
    'src/functions/adapter/adapt-python.ts': 'reads a file of the product when it is loaded',
    'src/functions/derive/derivation-program.ts': 'reads files of the product when it is loaded',
    'src/functions/derive/typescript-module.ts': 'reads the module that it derives from, inside the jail',
    'src/functions/read-desired-directory.ts': 'reads a directory for the command that applies it',
    'src/http/sign-in/assets.ts': 'reads files of the product when it is loaded',
    'src/http/tls/client-certificate.ts': 'looks at the certificate of a connection',
    'src/http/tls/create-web-server.ts': 'the server itself',
    'src/http/tls/tls-files.ts': 'reads the certificate',
    'src/publishing/checkpoint-file.ts': 'adds signed checkpoints to the file that the configuration names',
    'src/publishing/directory-target.ts': 'writes hashes and checkpoints to the directory that the configuration names',
  },
}
