import { existsSync, readFileSync } from 'node:fs'

/** What decides whether an unprivileged user can make a jail here, beside trying it. */
export interface MachineFacts {
  /** `null` where the kernel has no such bound. */
  readonly maxUserNamespaces: number | null
  /** Debian's and Arch's switch; `null` where the kernel has none. */
  readonly unprivilegedUserNamespaces: boolean | null
  /** Ubuntu's, from 23.10 on. */
  readonly apparmorRestrictsUserNamespaces: boolean
  readonly container: ContainerKind | null
  /** Whether a system-call filter is on this process already. */
  readonly isFiltered: boolean
  /** The systemd service that this process is part of. */
  readonly service: string | null
}

/** Who made the container that this process is in. */
export type ContainerKind = 'docker' | 'podman' | 'kubernetes' | 'other'

/** Reads `/proc` and the marks that container engines leave. Nothing of it is proof; a real jail is. */
export function machineFacts(): MachineFacts {
  const unprivileged = number('/proc/sys/kernel/unprivileged_userns_clone')
  const groups = text('/proc/self/cgroup') ?? ''
  return {
    maxUserNamespaces: number('/proc/sys/user/max_user_namespaces'),
    unprivilegedUserNamespaces: unprivileged === null ? null : unprivileged !== 0,
    apparmorRestrictsUserNamespaces: number('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1,
    container: containerKind(groups),
    isFiltered: /^Seccomp:\s+2$/m.test(text('/proc/self/status') ?? ''),
    service: /\/([^/]+\.service)(?:\/|$)/m.exec(groups)?.[1] ?? null,
  }
}

function containerKind(groups: string): ContainerKind | null {
  if (existsSync('/var/run/secrets/kubernetes.io') || groups.includes('/kubepods')) return 'kubernetes'
  if (existsSync('/run/.containerenv')) return 'podman'
  if (existsSync('/.dockerenv')) return 'docker'
  return existsSync('/run/systemd/container') ? 'other' : null
}

function number(path: string): number | null {
  const value = text(path)
  return value !== null && /^\d+\s*$/.test(value) ? Number(value) : null
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
