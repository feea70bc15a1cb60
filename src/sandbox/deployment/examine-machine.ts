import type { SandboxConfig } from '../config.ts'
import { listEngines } from './list-engines.ts'
import { machineFacts, type MachineFacts } from './machine-facts.ts'
import { tryJail } from './try-jail.ts'

/** One thing that was looked at, and what to do where it is not as it should be. */
export interface MachineFinding {
  readonly id: string
  readonly ok: boolean
  readonly detail: string
  readonly remedy: string | null
}

/**
 * How this process is deployed, and whether a jail can be made here, found by making one as the user that a server
 * started like this process would make it. Leaves nothing behind. For `doctor`: a server asks its own executor.
 */
export async function examineMachine(
  config: Pick<
    SandboxConfig,
    'bubblewrapPath' | 'nsjailPath' | 'ociRuntimePath' | 'engine' | 'executorUid' | 'executorGid'
  >,
): Promise<readonly MachineFinding[]> {
  const { executorUid, executorGid } = config
  const uid = process.getuid?.() ?? 0
  const deployment = {
    id: 'deployment',
    ok: true,
    detail: deploymentText(machineFacts(), uid, executorUid),
    remedy: null,
  }
  const engines = { id: 'engines', ok: true, detail: await listEngines(config), remedy: null }
  if (config.engine !== 'auto' && config.engine !== 'bubblewrap') return [deployment, engines]
  const failure = await tryJail(config.bubblewrapPath, uid === 0 ? { uid: executorUid, gid: executorGid } : undefined)
  const jail =
    failure === null
      ? { ok: true, detail: 'a jail with every namespace and a /proc of its own can be made', remedy: null }
      : { ok: false, detail: failure.reason, remedy: failure.remedy }
  return [deployment, engines, { id: 'namespaces', ...jail }]
}

function deploymentText({ container, service }: MachineFacts, uid: number, executorUid: number): string {
  const who = uid === 0 ? `root; sandboxes are made as user id ${String(executorUid)}` : `user id ${String(uid)}`
  if (container !== null) return `${who}, in a container${container === 'other' ? '' : ` (${container})`}`
  return service === null ? `${who}, on the machine itself` : `${who}, in the systemd unit ${service}`
}
