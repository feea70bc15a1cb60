import { accessSync, constants, existsSync } from 'node:fs'
import { runTool } from '../executor/run-tool.ts'
import type { EngineProbe } from '../sandbox-engine.ts'
import { bundleConfig, type BundleParts } from './bundle-config.ts'
import { findProgram, isProgram } from './find-tools.ts'

const bytesPerMebibyte = 1024 * 1024
/** For the guest's kernel and agent, beside what the function may have. */
const guestMebibytes = 128

/**
 * config.json of one jail for Kata Containers 2 or 3: a virtual machine of its own with one processor and memory by the
 * limits, on Firecracker or whatever the configuration at `configPath` names. Annotations as in Kata's
 * "how to set sandbox config". Made and checked, never run: see `probeKata`.
 */
export function kataBundleConfig(parts: Omit<BundleParts, 'runtime'>, memoryBytes: number, configPath: string): object {
  const { order } = parts
  const files = order.codeBytes + order.scratchBytes
  const memory = Math.ceil((memoryBytes + files) / bytesPerMebibyte) + guestMebibytes
  const config = bundleConfig({
    ...parts,
    runtime: {
      name: 'kata',
      kernel: 'guest',
      idInside: 65_534,
      adds: ['/proc', '/sys'],
      channel: 0,
      hidesCgroups: false,
      options: [],
      runOptions: [],
    },
  })
  return {
    ...config,
    annotations: {
      'io.katacontainers.config_path': configPath,
      'io.katacontainers.config.hypervisor.default_vcpus': '1',
      'io.katacontainers.config.hypervisor.default_memory': String(memory),
      'io.katacontainers.config.runtime.disable_guest_seccomp': 'false',
    },
  }
}

/** What of this machine a probe of Kata looks at. */
export interface KataSigns {
  readonly program: string | null
  /** What the program prints as its help. */
  readonly help: () => Promise<string>
  readonly kvm: 'usable' | 'no permission' | 'absent'
}

/**
 * Always refuses, with the first reason there is. Kata Containers dropped the OCI command line with release 2.0 and has
 * only containerd's shim since, which needs a containerd run by root; and its virtual machines carry standard input and
 * output as one-way streams, while a runner needs a channel beside them. No jail of it was ever made here.
 */
export async function probeKata(configured: string | null, signs: KataSigns = look(configured)): Promise<EngineProbe> {
  const otherwise = 'set sandbox.engine to runsc, which also keeps hosted code from the kernel of the host'
  const refuse = (reason: string): EngineProbe => ({ ok: false, reason, remedy: otherwise })
  const { program, kvm } = signs
  if (program === null) return refuse('there is no kata-runtime and no containerd-shim-kata-v2')
  if (kvm === 'absent') return refuse('there is no /dev/kvm: this machine gives no hardware virtualisation')
  if (kvm === 'no permission') return refuse('/dev/kvm may not be opened by the user that makes jails')
  if (!/^\s+run\s/m.test(await signs.help()))
    return refuse(
      `${program} has no OCI command line, as Kata Containers 2 and 3: it runs under a containerd of root only`,
    )
  return refuse(
    `${program} gives a jail no channel beside its standard output, and none was ever run with this release`,
  )
}

function look(configured: string | null): KataSigns {
  const named = configured !== null && isProgram(configured) ? configured : null
  const program = configured === null ? (findProgram('kata-runtime') ?? findProgram('containerd-shim-kata-v2')) : named
  return {
    program,
    help: async () => {
      try {
        return program === null ? '' : await runTool(program, ['--help'])
        // oxlint-disable-next-line mcpworks/catch-fails-closed -- the shim has no help; without one it is refused
      } catch {
        return ''
      }
    },
    kvm: kvmState(),
  }
}

function kvmState(): KataSigns['kvm'] {
  if (!existsSync('/dev/kvm')) return 'absent'
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return 'usable'
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- refused, with this as the reason
  } catch {
    return 'no permission'
  }
}
