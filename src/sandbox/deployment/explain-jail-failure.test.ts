import { expect, test } from 'vitest'
import { explainJailFailure } from './explain-jail-failure.ts'
import type { MachineFacts } from './machine-facts.ts'

const plain: MachineFacts = {
  maxUserNamespaces: 15_000,
  unprivilegedUserNamespaces: null,
  apparmorRestrictsUserNamespaces: false,
  container: null,
  isFiltered: false,
  service: null,
}
const ubuntu = { ...plain, apparmorRestrictsUserNamespaces: true }
const noPermission = 'bwrap: No permissions to create new namespace, likely because the kernel does not allow it'
const noProc = "bwrap: Can't mount proc on /newroot/proc: Operation not permitted"

test.each([
  [
    'turned off by the sysctl',
    noPermission,
    { ...plain, maxUserNamespaces: 0 },
    'sudo sysctl -w user.max_user_namespaces=15000',
  ],
  [
    'turned off by the switch of Debian',
    noPermission,
    { ...plain, unprivilegedUserNamespaces: false },
    'sudo sysctl -w kernel.unprivileged_userns_clone=1',
  ],
  [
    'used up',
    'bwrap: Creating new namespace failed: exceeded (ENOSPC)',
    plain,
    'sudo sysctl -w user.max_user_namespaces=15000 user.max_mnt_namespaces=15000 user.max_net_namespaces=15000',
  ],
  [
    'restricted on Ubuntu, at the id map',
    'bwrap: setting up uid map: Permission denied',
    ubuntu,
    'sudo install -m 0644 deploy/apparmor/mcpworks-bwrap /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/mcpworks-bwrap',
  ],
  [
    'restricted on Ubuntu, at the network',
    'bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted',
    ubuntu,
    'sudo install -m 0644 deploy/apparmor/mcpworks-bwrap /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/mcpworks-bwrap',
  ],
  [
    'without /proc in Docker',
    noProc,
    { ...plain, container: 'docker' },
    'docker run --security-opt systempaths=unconfined …',
  ],
  ['without /proc in Podman', noProc, { ...plain, container: 'podman' }, 'podman run --security-opt unmask=ALL …'],
  [
    'without /proc in Kubernetes',
    noProc,
    { ...plain, container: 'kubernetes' },
    "hostUsers: false in the pod's spec and procMount: Unmasked in its container's securityContext",
  ],
  [
    'filtered in Docker',
    noPermission,
    { ...plain, container: 'docker', isFiltered: true },
    'docker run --security-opt seccomp=deploy/container/seccomp.json --security-opt apparmor=unconfined --security-opt systempaths=unconfined …',
  ],
  ['not recognised', 'bwrap: something else', plain, 'see docs/deployments.md'],
] as const)('names the one thing to do where namespaces are %s', (_, message, facts, remedy) => {
  expect(explainJailFailure(message, facts).remedy).toBe(remedy)
})

test('passes on what it does not recognise', () => {
  expect(explainJailFailure('bwrap: something else', plain).reason).toBe('bwrap: something else')
})
