import type { ContainmentCheck } from '../containment-check.ts'
import { held, inside, like, ofHost, onBun } from './make-check.ts'

const kinds = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'] as const
const sets = {
  inheritable: 'CapInh',
  permitted: 'CapPrm',
  effective: 'CapEff',
  bounding: 'CapBnd',
  ambient: 'CapAmb',
} as const
const runtimes = ['python', 'typescript'] as const

/** Ids, capabilities, namespaces and signals. */
export function identityChecks(): ContainmentCheck[] {
  return [...capabilities(), ...namespaces(), ...signals()]
}

function capabilities(): ContainmentCheck[] {
  return [
    inside('capabilities.ids', 'be another user than nobody', ['ids'], '65534 65534 65534 65534 65534 65534'),
    inside('capabilities.groups', 'be in a group', ['groups'], 'none', '65534'),
    ...runtimes.flatMap((runtime) => [
      ...Object.entries(sets).map(([name, field]) =>
        held(`capabilities.${name}`, `hold a capability in the ${name} set (${field})`, runtime, '0'),
      ),
      held('capabilities.no-new-privileges', 'gain privileges by executing a program', runtime, '1'),
      held('capabilities.filter-mode', 'run without a filter', runtime, '2'),
      held(
        'capabilities.filters',
        'run with fewer than two filters',
        runtime,
        like(/^(?:[2-9]|\d\d|not told)$/, 'two or more'),
      ),
      held('capabilities.host-user', 'be root on the host', runtime, 'not 0'),
      held('capabilities.host-group', 'be in the group of root on the host', runtime, 'not 0'),
      held('capabilities.host-groups', 'be in the group of root on the host, by an additional one', runtime, 'not 0'),
      held(
        'capabilities.user-map',
        'have more than one user id, or that of root, in its map',
        runtime,
        'one id, not 0',
      ),
      held(
        'capabilities.group-map',
        'have more than one group id, or that of root, in its map',
        runtime,
        'one id, not 0',
      ),
    ]),
    ...Object.entries(sets).map(([name, field]) =>
      onBun(
        `capabilities.own-${name}`,
        `see a capability of its own (${field})`,
        ['status', field],
        '0000000000000000',
      ),
    ),
    onBun('capabilities.own-no-new-privileges', 'see no_new_privs off', ['status', 'NoNewPrivs'], '1'),
    onBun('capabilities.own-filter', 'see no filter', ['status', 'Seccomp'], '2'),
    onBun('capabilities.own-user', 'see another user than nobody', ['status', 'Uid'], '65534\t65534\t65534\t65534'),
    onBun('capabilities.own-group', 'see another group than nobody', ['status', 'Gid'], '65534\t65534\t65534\t65534'),
  ]
}

function namespaces(): ContainmentCheck[] {
  return runtimes.flatMap((runtime) =>
    kinds.flatMap((kind) => [
      held(`namespaces.${kind}-of-host`, `share the ${kind} namespace with the host`, runtime, 'another'),
      held(`namespaces.${kind}-of-sibling`, `share the ${kind} namespace with a sibling`, runtime, 'another'),
    ]),
  )
}

function signals(): ContainmentCheck[] {
  const gone = ['ESRCH', 'EPERM'] as const
  return [
    ofHost('signals.server', 'signal the server', ['kill', '$serverPid', 0], ...gone),
    ofHost('signals.parent-of-server', 'signal the parent of the server', ['kill', '$parentPid', 0], ...gone),
    ofHost('signals.any', 'signal any process with a number up to 2000', ['signal-any', '$tgkill'], 'none'),
    ofHost('signals.all', 'signal every process that can be reached', ['kill', -1, 0], ...gone),
    ofHost(
      'signals.group-of-server',
      'signal the process group of the server',
      ['kill', '$minusServerGroup', 0],
      ...gone,
    ),
    inside('signals.no-parent', 'see a parent', ['parent'], '0', '1'),
    inside(
      'signals.session',
      'be in a session of the host',
      ['session'],
      '0',
      '1',
      like(/^[2-9]$/, 'a session of its own'),
    ),
    held('signals.sibling', 'signal a sibling by its number on the host', 'python', 'ESRCH', 'EPERM'),
    held('signals.terminal', 'have a controlling terminal', 'python', '0'),
    held('signals.terminal', 'have a controlling terminal', 'typescript', '0'),
  ]
}
