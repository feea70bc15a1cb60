import { strictestProcfs } from '../nsjail/jail-plan.ts'
import { withSubmounts } from '../nsjail/submounts.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { jailProfile } from '../profile/jail-profile.ts'
import type { OciSeccomp } from '../profile/to-oci-seccomp.ts'
import type { JailOrder } from '../sandbox-engine.ts'
import { deviceName } from './root-skeleton.ts'
import type { OciRuntime } from './oci-runtime.ts'

/** A mount of config.json. */
interface OciMount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

/** What a bundle is made of, with paths as the runtime sees them. */
export interface BundleParts {
  readonly runtime: OciRuntime
  readonly layout: RuntimeLayout
  /** The root skeleton and the directory of device files. */
  readonly rootDirectory: string
  readonly deviceDirectory: string
  readonly seccomp: OciSeccomp
  readonly order: Pick<JailOrder, 'codeBytes' | 'scratchBytes'>
}

/** tmpfs takes size 0 as "no bound". */
const leastTmpfsBytes = 4096
const namespaceTypes: Readonly<Record<string, string>> = {
  user: 'user',
  mount: 'mount',
  pid: 'pid',
  network: 'network',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
}
const noCapabilities = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] }
/** Limits of a process that nothing in a jail needs, from its first moment; the runner lowers the others before it takes code. */
const firstLimits = ['RLIMIT_CORE', 'RLIMIT_MEMLOCK']

/** config.json of one jail (OCI runtime specification 1.0). Pure, so that the profile's hash is the hash of this. */
export function bundleConfig(parts: BundleParts): object {
  const { runtime, layout, seccomp } = parts
  const { hostname, environment, workingDirectory, namespaces } = jailProfile
  const id = runtime.idInside
  // Id 0 of the cell is this process's own user; there is no second one to map.
  const mapping = [{ containerID: id, hostID: 0, size: 1 }]
  const own = runtime.kernel === 'guest' ? ['user'] : []
  return {
    ociVersion: '1.0.2',
    root: { path: parts.rootDirectory, readonly: true },
    hostname,
    process: {
      terminal: false,
      user: { uid: id, gid: id },
      args: [...layout.command, ...(runtime.channel === 3 ? [] : ['--channel-on-stdin'])],
      env: Object.entries({ ...environment, PWD: workingDirectory }).map(([name, value]) => `${name}=${value}`),
      cwd: workingDirectory,
      noNewPrivileges: true,
      capabilities: noCapabilities,
      rlimits: firstLimits.map((type) => ({ type, hard: 0, soft: 0 })),
    },
    mounts: [
      ...procMounts(parts),
      ...bindMounts(parts),
      ...deviceMounts(parts),
      ...tmpfsMounts(parts),
      ...coverMounts(parts),
    ],
    linux: {
      namespaces: namespaces.filter((name) => !own.includes(name)).map((name) => ({ type: namespaceTypes[name] })),
      ...(runtime.kernel === 'guest' ? {} : { uidMappings: mapping, gidMappings: mapping }),
      maskedPaths: covered(parts),
      seccomp,
    },
  }
}

/** Whether a jail of this runtime has a /proc of this kernel. */
export function hasProcfs(runtime: OciRuntime, layout: RuntimeLayout): boolean {
  return layout.procfs !== null || runtime.adds.includes('/proc')
}

function procMounts({ runtime, layout }: BundleParts): OciMount[] {
  if (runtime.kernel === 'guest' || !hasProcfs(runtime, layout)) return []
  const own = strictestProcfs([]).shows === 'own' ? ['subset=pid'] : []
  const options = [...(jailProfile.procfs.typescript?.options ?? []), ...own]
  return [{ destination: '/proc', type: 'proc', source: 'proc', options }]
}

function bindMounts({ layout }: BundleParts): OciMount[] {
  const options = ['bind', 'ro', 'nosuid', 'nodev']
  return withSubmounts(layout.binds).map(([source, destination]) => ({ destination, type: 'bind', source, options }))
}

function deviceMounts({ runtime, deviceDirectory }: BundleParts): OciMount[] {
  if (runtime.kernel === 'guest') return []
  const options = ['bind', 'ro', 'nosuid', 'noexec']
  return [
    { destination: '/dev', type: 'bind', source: deviceDirectory, options: [...options, 'nodev'] },
    ...jailProfile.devices.map((device) => ({
      destination: `/dev/${deviceName(device)}`,
      type: 'bind',
      source: device,
      options,
    })),
  ]
}

/** A guest kernel has a /sys of its own, which nothing needs. */
function coverMounts({ runtime }: BundleParts): OciMount[] {
  if (runtime.kernel === 'host') return []
  const options = ['ro', 'nosuid', 'nodev', 'noexec', `size=${String(leastTmpfsBytes)}`]
  return [{ destination: '/sys', type: 'tmpfs', source: 'tmpfs', options }]
}

function tmpfsMounts({ order }: BundleParts): OciMount[] {
  const bytes = { code: order.codeBytes, scratch: order.scratchBytes }
  return Object.entries(jailProfile.tmpfs).map(([destination, { mode, options, inodes, size }]) => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [
      ...options,
      `mode=${mode}`,
      `size=${String(Math.max(bytes[size], leastTmpfsBytes))}`,
      `nr_inodes=${String(inodes)}`,
    ],
  }))
}

function covered({ runtime, layout }: BundleParts): string[] {
  if (runtime.kernel === 'guest') return []
  return strictestProcfs(layout.procfs?.covered ?? []).covered.map((path) => path.replace(/\/$/, ''))
}
