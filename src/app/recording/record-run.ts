import { release } from 'node:os'
import {
  recordSchemaText,
  recordVersion,
  type DecisionLog,
  type EventDraft,
  type StoredRecord,
} from '../../audit/index.ts'
import { configDigest, type Config } from '../../config/index.ts'
import { digestJson, isJsonObject, sha256, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { PolicyEngine } from '../../policy/index.ts'
import type { Sandbox, SandboxDescription } from '../../sandbox/index.ts'
import { appendEvent } from '../append-event.ts'
import type { Log } from '../log.ts'
import { platformNamespace } from '../namespaces.ts'

/** Policy sets that are named one by one; the digest covers all of them. */
const maxNamedSets = 100

/** What a run of the server is made of, and where it is recorded. */
export interface RunParts {
  readonly version: string
  readonly config: Config
  readonly sandbox: Pick<Sandbox, 'describe'>
  readonly policy: Pick<PolicyEngine, 'policySetHash'>
  readonly namespaces: { list(): readonly { readonly name: string }[] }
  readonly storage: {
    readonly decisionLog: Pick<DecisionLog, 'append' | 'read'>
    /** Calls of former runs that the log ended when it was opened. */
    readonly abandoned: number
  }
  readonly clock: Clock
  readonly log: Pick<Log, 'error'>
}

/** A run whose start is on record. */
export interface RecordedRun {
  /** Records the end of the run, as the last record of it. Never rejects. */
  end(): Promise<void>
}

/**
 * Records in the platform's log what runs from here on, and how the run before it ended, before anything is listened to.
 * @throws McpworksError `audit_unavailable`: a server whose start is not on record takes no calls
 */
export async function recordRun(parts: RunParts): Promise<RecordedRun> {
  const { storage, clock, log } = parts
  const { decisionLog, abandoned } = storage
  const append = (event: EventDraft['event']) =>
    appendEvent(decisionLog, clock, { kind: 'start', namespace: platformNamespace, event })
  const newest = {
    namespace: platformNamespace,
    kinds: ['start'],
    withoutText: true,
    descending: true,
    limit: 1,
  } as const
  const [last] = await decisionLog.read(newest)
  const { id } = await append({
    type: 'started',
    ...programs(parts),
    configuration: configDigest(parts.config),
    policies: policiesOf(parts),
    sandbox: sandboxOf(parts.sandbox.describe()),
    before: last === undefined ? null : endOf(last),
    abandoned,
  })
  return {
    async end() {
      try {
        await append({ type: 'stopped', start: id })
      } catch (error) {
        log.error({ err: error }, 'the end of this run could not be recorded: the next start will call it broken')
      }
    },
  }
}

function programs({ version, config }: RunParts): JsonObject {
  return {
    version,
    record_version: recordVersion,
    record_schema: sha256(recordSchemaText()),
    node: process.version,
    system: `${process.platform} ${release()} ${process.arch}`,
    database: config.storage.database.url === null ? 'sqlite' : 'postgresql',
  }
}

function policiesOf({ policy, namespaces }: RunParts): JsonObject {
  const names = namespaces.list().map(({ name }) => name)
  const sorted = names.toSorted().map((name) => [name, policy.policySetHash(name)] as const)
  return {
    digest: digestJson(Object.fromEntries(sorted)),
    namespaces: sorted.length,
    sets: sorted.slice(0, maxNamedSets).map(([namespace, set]) => ({ namespace, set })),
  }
}

function sandboxOf({ engine, version, profiles, strictProfiles, cgroups, checks }: SandboxDescription): JsonObject {
  return {
    engine,
    version,
    profiles: profilesOf(profiles),
    strict_profiles: profilesOf(strictProfiles),
    cgroups: cgroups.inUse,
    checks: {
      passed: checks.filter(({ ok }) => ok).length,
      failed: checks.filter(({ ok }) => !ok).map(({ id }) => id),
    },
  }
}

function profilesOf(profiles: SandboxDescription['profiles']): JsonObject | null {
  if (profiles === null) return null
  const { python, typescript } = profiles
  return { python: { ...python }, typescript: { ...typescript } }
}

/** A run ended well if the last that is recorded of it is that it ended. */
function endOf({ index, json }: StoredRecord): JsonObject {
  const type = json === '' ? null : typeOf(JSON.parse(json))
  return { ended: type === 'stopped' ? 'clean' : type === 'started' ? 'broken' : 'unknown', record: index }
}

function typeOf(record: unknown): unknown {
  return isJsonObject(record) && isJsonObject(record.event) ? record.event.type : null
}
