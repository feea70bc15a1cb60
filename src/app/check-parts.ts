import type { DecisionLog } from '../audit/index.ts'
import type { PolicyEngine } from '../policy/index.ts'
import type { ActiveRole } from '../storage/index.ts'
import type { PartState } from '../publishing/index.ts'
import type { Sandbox, SandboxDescription } from '../sandbox/index.ts'
import type { ExporterState } from './exporters/open-exporters.ts'
import type { ChannelState } from './notifications/open-notifications.ts'
import type { HealthCheck } from './management/platform-handlers.ts'
import type { Namespaces } from './namespaces.ts'
import type { KeepingProblem } from './recording/watch-keeping.ts'
import type { SandboxHistory } from './watch-sandbox.ts'

/** Looks at every part of the running server. Tries to write to the decision log if it refused before. */
export async function checkParts(parts: {
  readonly decisionLog: DecisionLog
  readonly sandbox: Pick<Sandbox, 'describe' | 'isReady'>
  readonly sandboxHistory: () => SandboxHistory
  readonly policy: PolicyEngine
  readonly namespaces: Namespaces
  readonly role: Pick<ActiveRole, 'lost'>
  readonly exporters: () => Promise<readonly ExporterState[]>
  readonly publishing: () => readonly PartState[]
  readonly channels: () => readonly ChannelState[]
  readonly keeping: () => readonly KeepingProblem[]
}): Promise<HealthCheck[]> {
  const lost = parts.role.lost()
  const log = await parts.decisionLog.recheck()
  const sandbox = parts.sandbox.describe()
  const policyWorks = parts.policy.isWorking()
  return [
    {
      id: 'decision-log',
      ok: log.ok,
      detail: log.ok ? 'records are written durably' : log.reason,
      remedy: log.ok
        ? null
        : 'make room on the disk, or make the data directory writable; calls are taken again by themselves',
    },
    {
      id: 'active role',
      ok: lost === null,
      detail: lost === null ? 'this server is the one that acts on its data' : `lost: ${lost}`,
      remedy: lost === null ? null : 'see that the database is there; calls are taken again by themselves',
    },
    {
      id: 'policy engine',
      ok: policyWorks,
      detail: policyWorks ? 'decides' : 'broken: every call is refused',
      remedy: policyWorks ? null : 'restart the server',
    },
    executor(parts.sandbox, parts.sandboxHistory()),
    cgroups(sandbox.cgroups),
    ...sandbox.checks.map((check) => ({
      id: `sandbox ${check.id}`,
      ok: check.ok,
      detail: check.ok ? check.got : `expected ${check.expected}, got ${check.got}`,
      remedy: check.ok ? null : 'no call is run in a sandbox that fails this; see docs',
    })),
    ...(await parts.exporters()).map(receiver),
    ...parts.publishing().map(publishing),
    ...parts.channels().map(channel),
    ...retention(parts.keeping()),
    ...parts.namespaces.list().map(({ name }) => {
      const ok = parts.policy.policySetHash(name) !== null
      return {
        id: `policies of ${name}`,
        ok,
        detail: ok ? 'in force' : 'none in force: every call is refused',
        remedy: ok ? null : `mcpworks policy check -n ${name}`,
      }
    }),
  ]
}

/** Executors that were lost are told of as long as the server runs; only where there is none is that a fault. */
function executor(
  sandbox: Pick<Sandbox, 'describe' | 'isReady'>,
  { losses, lastLoss, problem }: SandboxHistory,
): HealthCheck {
  const id = 'sandbox'
  const { engine, version, checks } = sandbox.describe()
  const lost =
    lastLoss === null
      ? ''
      : `; its executor was lost ${losses === 1 ? 'once' : `${losses} times`} since the start, last at ${new Date(lastLoss.timeMs).toISOString()} (${lastLoss.how})`
  if (!sandbox.isReady()) {
    const why = problem === null ? '' : `: ${problem}`
    const remedy = "it is tried again by itself; the server's log has what the executor last said"
    return { id, ok: false, detail: `the executor is being started again${why}${lost}`, remedy }
  }
  const ok = checks.every((check) => check.ok)
  return { id, ok, detail: `${engine} ${version}${lost}`, remedy: ok ? null : 'see the failed checks' }
}

function retention(problems: readonly KeepingProblem[]): HealthCheck[] {
  const id = 'retention'
  if (problems.length === 0) return [{ id, ok: true, detail: 'deletes what is over its time', remedy: null }]
  return problems.map(({ detail, remedy }) => ({ id, ok: false, detail, remedy }))
}

/** Waiting for its first attempt is no fault. */
function publishing({ name, status, problem, okAtMs }: PartState): HealthCheck {
  const last = okAtMs === null ? 'never' : new Date(okAtMs).toISOString()
  const remedies = {
    conflict:
      'it is left as it is; compare it with the log here (mcpworks audit verify, and the records of kind alarm): one of the two was changed or put back',
    failing: 'it is tried again by itself; see the section publishing of the configuration',
  }
  return {
    id: `publishing: ${name}`,
    ok: status === 'ok' || status === 'waiting',
    detail: problem === null ? `up to date as of ${last}` : `${problem}; last up to date: ${last}`,
    remedy: status === 'conflict' || status === 'failing' ? remedies[status] : null,
  }
}

/** Without cgroups every limit still holds, less exactly, so that is no failure; `sandbox.cgroups: required` makes it one. */
function cgroups(state: SandboxDescription['cgroups']): HealthCheck {
  const id = 'sandbox cgroups'
  if (state.inUse) return { id, ok: true, detail: state.detail, remedy: null }
  const advice = state.remedy === null ? '' : `; for exact bounds ${state.remedy}`
  return { id, ok: true, detail: `not in use: ${state.reason}${advice}`, remedy: null }
}

/** A receiver of the log that is away is told everything later: no call waits for it, and nothing is lost. */
function receiver({ name, type, failing, waitingSinceMs, dropped, rejected }: ExporterState): HealthCheck {
  const id = `exporter ${name}`
  const since = waitingSinceMs === null ? '' : `; records wait since ${new Date(waitingSinceMs).toISOString()}`
  const notKept = dropped + rejected === 0 ? '' : `; ${dropped + rejected} not kept by the receiver`
  if (failing === null) return { id, ok: true, detail: `takes what it is sent${notKept}`, remedy: null }
  const place =
    type === 'file' ? 'the file, its directory and the room there' : 'the receiver, its address and its secret'
  const remedy = `see to ${place}; it is tried again by itself`
  return { id, ok: false, detail: `refuses: ${failing}${since}${notKept}`, remedy }
}

/** What a channel was not told yet is told later, from the log. */
function channel({ name, failing, waitingSinceMs }: ChannelState): HealthCheck {
  const id = `channel ${name}`
  if (failing === null) return { id, ok: true, detail: 'takes what it is told', remedy: null }
  const since = waitingSinceMs === null ? '' : `; it has not been told since ${new Date(waitingSinceMs).toISOString()}`
  const remedy = 'see to its address (gateway.notifications.channels); it is tried again by itself'
  return { id, ok: false, detail: `refuses: ${failing}${since}`, remedy }
}
