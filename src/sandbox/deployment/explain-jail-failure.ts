import type { ContainerKind, MachineFacts } from './machine-facts.ts'

/** Why no jail can be made, and the one command, or setting of the container, that changes it. */
export interface JailFailure {
  readonly reason: string
  readonly remedy: string
}

const forProc: Readonly<Record<ContainerKind, string>> = {
  docker: 'docker run --security-opt systempaths=unconfined …',
  podman: 'podman run --security-opt unmask=ALL …',
  kubernetes: "hostUsers: false in the pod's spec and procMount: Unmasked in its container's securityContext",
  other: "start the container with nothing mounted over its /proc; docs/deployments.md has each container engine's way",
}

const forCalls: Readonly<Record<ContainerKind, string>> = {
  docker:
    'docker run --security-opt seccomp=deploy/container/seccomp.json --security-opt apparmor=unconfined --security-opt systempaths=unconfined …',
  podman: 'podman run --security-opt seccomp=deploy/container/seccomp.json --security-opt unmask=ALL …',
  kubernetes:
    "seccompProfile {type: Localhost, localhostProfile: mcpworks.json} in the securityContext, with deploy/container/seccomp.json as that file below the kubelet's seccomp directory",
  other:
    'start the container with a system-call filter that allows unshare, clone and mount: deploy/container/seccomp.json',
}

/**
 * Reads what bubblewrap said when it could not make a jail. The kernel tells little, so where several causes look alike
 * the settings that are known to be the cause come first. What is not recognised is passed on as it is.
 */
export function explainJailFailure(message: string, facts: MachineFacts): JailFailure {
  if (facts.maxUserNamespaces === 0)
    return { reason: 'user namespaces are turned off', remedy: 'sudo sysctl -w user.max_user_namespaces=15000' }
  if (facts.unprivilegedUserNamespaces === false)
    return {
      reason: 'user namespaces are turned off for all but root',
      remedy: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    }
  if (/ENOSPC|No space left/.test(message))
    return {
      reason: 'a bound on namespaces is reached, here or in a namespace above (user.max_*_namespaces)',
      remedy:
        facts.container === null
          ? 'sudo sysctl -w user.max_user_namespaces=15000 user.max_mnt_namespaces=15000 user.max_net_namespaces=15000'
          : 'let the container make user namespaces of its own; docs/deployments.md says how',
    }
  if (facts.apparmorRestrictsUserNamespaces && /uid map|RTM_NEWADDR|denied|not permitted|permissions/.test(message))
    return {
      reason: 'AppArmor keeps bubblewrap from using user namespaces (kernel.apparmor_restrict_unprivileged_userns)',
      remedy:
        'sudo install -m 0644 deploy/apparmor/mcpworks-bwrap /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/mcpworks-bwrap',
    }
  return ofContainer(message, facts) ?? { reason: message, remedy: 'see docs/deployments.md' }
}

function ofContainer(message: string, { container, isFiltered }: MachineFacts): JailFailure | null {
  if (/mount proc/.test(message))
    return {
      reason: 'parts of /proc are covered here, as in containers, so that no jail can have a /proc of its own',
      remedy: forProc[container ?? 'other'],
    }
  if (/permissions to creat|not permitted|Permission denied/.test(message) && (container !== null || isFiltered))
    return {
      reason: `the system-call filter or the security module of the container refuses namespaces or mounts (${message})`,
      remedy: forCalls[container ?? 'other'],
    }
  return null
}
