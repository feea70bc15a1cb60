import { describe, expect, test } from 'vitest'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import { bundleConfig } from './bundle-config.ts'
import { kataBundleConfig, probeKata, type KataSigns } from './kata.ts'
import { ociRuntimes } from './oci-runtime.ts'

const layout: RuntimeLayout = {
  binds: [['/usr/lib', '/usr/lib']],
  links: [['usr/lib', '/lib']],
  command: ['/usr/bin/python3', '/runner/main.py'],
  procfs: { covered: ['/proc/cmdline', '/proc/sys/'] },
}
const parts = {
  layout,
  rootDirectory: '/dev/shm/python',
  deviceDirectory: '/dev/shm/dev',
  seccomp: { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, architectures: ['SCMP_ARCH_X86_64'], syscalls: [] },
  order: { codeBytes: 4096, scratchBytes: 1024 * 1024 },
} as const

interface Config {
  readonly ociVersion: string
  readonly root: { path: string; readonly: boolean }
  readonly process: {
    user: { uid: number }
    env: string[]
    noNewPrivileges: boolean
    args: string[]
    capabilities: Record<string, string[]>
    cwd: string
  }
  readonly mounts: { destination: string; type: string; source: string; options: string[] }[]
  readonly linux: {
    namespaces: { type: string }[]
    uidMappings?: { size: number }[]
    seccomp: { defaultAction: string }
  }
  readonly annotations?: Record<string, string>
}

/** What the runtime specification (1.0) demands of a config.json on Linux, of the parts that are used here. */
function flawsOf(config: Config): string[] {
  const flaws: string[] = []
  const demand = (holds: boolean, what: string): void => void (holds || flaws.push(what))
  demand(/^1\.0\.\d+$/.test(config.ociVersion), 'ociVersion')
  demand(config.root.path.startsWith('/'), 'root.path')
  demand(config.process.cwd.startsWith('/') && config.process.args.length > 0, 'process')
  demand(
    config.process.env.every((each) => /^[A-Z_]+=/.test(each)),
    'process.env',
  )
  for (const { destination, source, options } of config.mounts) {
    demand(destination.startsWith('/'), `mount ${destination}`)
    demand(
      options.every((option) => /^[a-z_]+(?:=[\w]+)?$/.test(option)),
      `options of ${destination}`,
    )
    demand(source !== '', `source of ${destination}`)
  }
  const kinds = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup']
  const types = config.linux.namespaces.map(({ type }) => type)
  demand(types.every((type) => kinds.includes(type)) && new Set(types).size === types.length, 'linux.namespaces')
  demand(types.includes('user') === (config.linux.uidMappings !== undefined), 'linux.uidMappings')
  demand(
    Object.values(config.annotations ?? {}).every((value) => typeof value === 'string'),
    'annotations',
  )
  return flaws
}

describe('config.json of a jail', () => {
  test.each(['crun', 'runc', 'runsc'] as const)('is by the specification and grants nothing (%s)', (name) => {
    const config = bundleConfig({ ...parts, runtime: ociRuntimes[name] }) as Config
    expect(flawsOf(config)).toEqual([])
    expect(config.root.readonly).toBe(true)
    expect(config.process.noNewPrivileges).toBe(true)
    expect(Object.values(config.process.capabilities).flat()).toEqual([])
    expect(config.linux.seccomp.defaultAction).toBe('SCMP_ACT_ERRNO')
    const writable = config.mounts.filter(({ options }) => !options.includes('ro')).map((each) => each.destination)
    expect(writable).toEqual(['/fn', '/tmp'])
    for (const { options } of config.mounts.filter(({ type }) => type === 'tmpfs'))
      expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec']))
  })

  test('maps one user and makes every namespace where the kernel is the host’s', () => {
    const config = bundleConfig({ ...parts, runtime: ociRuntimes.crun }) as Config
    expect(config.linux.namespaces.map(({ type }) => type).toSorted()).toEqual([
      'cgroup',
      'ipc',
      'mount',
      'network',
      'pid',
      'user',
      'uts',
    ])
    expect(config.linux.uidMappings).toEqual([{ containerID: 65_534, hostID: 0, size: 1 }])
  })

  test('would be found at fault', () => {
    const config = bundleConfig({ ...parts, runtime: ociRuntimes.crun }) as Config
    expect(flawsOf({ ...config, root: { path: 'rootfs', readonly: true }, ociVersion: '2' })).toEqual([
      'ociVersion',
      'root.path',
    ])
  })

  test('for Kata is by the specification, with memory for the guest, its files and its kernel', () => {
    const config = kataBundleConfig(parts, 256 * 1024 * 1024, '/etc/kata-containers/configuration-fc.toml') as Config
    expect(flawsOf(config)).toEqual([])
    expect(config.process.user.uid).toBe(65_534)
    expect(config.annotations).toMatchObject({
      'io.katacontainers.config_path': '/etc/kata-containers/configuration-fc.toml',
      'io.katacontainers.config.hypervisor.default_memory': '386',
    })
  })
})

describe('the probe of Kata', () => {
  const signs = (own: Partial<KataSigns>): KataSigns => ({
    program: '/usr/bin/kata-runtime',
    help: async () => await Promise.resolve('COMMANDS:\n   run   create and run\n'),
    kvm: 'usable',
    ...own,
  })

  test.each([
    ['there is no kata-runtime', signs({ program: null })],
    ['gives no hardware virtualisation', signs({ kvm: 'absent' })],
    ['may not be opened', signs({ kvm: 'no permission' })],
    ['no OCI command line', signs({ help: async () => await Promise.resolve('COMMANDS:\n   check\n   env\n') })],
    ['none was ever run with this release', signs({})],
  ])('refuses, and says why: %s', async (reason, given) => {
    const probe = await probeKata(null, given)
    expect(probe.ok ? '' : probe.reason).toContain(reason)
  })
})
