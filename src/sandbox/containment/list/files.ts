import type { ContainmentCheck } from '../containment-check.ts'
import { absent, after, allOf, inside, like, ofHost, onBun, onlyOf, readOnly } from './make-check.ts'

/** What belongs to the host, by path. None of it is in a jail. */
const hostPaths: Readonly<Record<string, string>> = {
  passwd: '/etc/passwd',
  shadow: '/etc/shadow',
  'machine-id': '/etc/machine-id',
  hosts: '/etc/hosts',
  'resolv-conf': '/etc/resolv.conf',
  ssh: '/etc/ssh',
  home: '/home',
  'home-of-root': '/root',
  var: '/var',
  run: '/run',
  'docker-socket': '/run/docker.sock',
  'docker-socket-by-var': '/var/run/docker.sock',
  'containerd-socket': '/run/containerd/containerd.sock',
  'system-bus': '/run/dbus/system_bus_socket',
  boot: '/boot',
  media: '/media',
  mnt: '/mnt',
  opt: '/opt',
  srv: '/srv',
  'service-account': '/var/run/secrets/kubernetes.io',
  'docker-environment': '/.dockerenv',
  'usr-local': '/usr/local',
  'usr-share': '/usr/share/doc',
  'usr-sbin': '/usr/sbin',
  shell: '/bin/sh',
  'shell-by-usr': '/usr/bin/sh',
  env: '/usr/bin/env',
  'old-root': '/oldroot',
}

const directories: Readonly<Record<string, readonly [path: string, words: string]>> = {
  root: ['/', '/'],
  usr: ['/usr', '/usr'],
  libraries: ['/usr/lib', '/usr/lib'],
  'python-library': ['$pythonLibrary', 'the standard library of Python'],
  runner: ['/runner', '/runner'],
  dev: ['/dev', '/dev'],
}

const files: Readonly<Record<string, readonly [path: string, words: string]>> = {
  runner: ['/runner/main.py', 'the runner'],
  interpreter: ['$python', 'the interpreter'],
}

const scratch = '/tmp is a file system of its own, ' as const

/** Files: what is there, what can be written, what leads out. */
export function fileChecks(): ContainmentCheck[] {
  return [
    ...tree(),
    ...Object.entries(hostPaths).map(([name, path]) =>
      ofHost(`files.no-${name}`, `find ${path}`, ['stat', path], absent),
    ),
    ...waysOut(),
    ...Object.entries(directories).flatMap(([name, [path, words]]) => ofDirectory(name, path, words)),
    ...Object.entries(files).flatMap(([name, [path, words]]) => ofFile(name, path, words)),
    ...scratchSpace(),
    after('files.host-canary-unchanged', 'change or remove a file of the host that anybody may write', 'unchanged'),
    after(
      'files.host-directory-unchanged',
      'leave a file in a directory of the host that anybody may write',
      'unchanged',
    ),
  ]
}

function tree(): ContainmentCheck[] {
  // With Python packages there is an /etc that holds links of shared libraries.
  const root = onlyOf('dev', 'etc', 'fn', 'lib', 'lib64', 'proc', 'runner', 'tmp', 'usr', 'packages')
  return [
    inside('files.root-listing', 'list /', ['listing', '/'], root),
    onBun('files.root-listing', 'list /', ['listing', '/'], root),
    inside('files.usr-share-listing', 'list /usr/share', ['listing', '/usr/share'], 'zoneinfo', absent),
    inside('files.runner-listing', 'list /runner', ['listing', '/runner'], onlyOf('main.py', 'zygote.py', 'proc')),
    inside(
      'files.programs-listing',
      'list the directory of the interpreter',
      ['listing', '$pythonDirectory'],
      like(/^python3\.\d+$/, 'the interpreter only'),
    ),
    inside(
      'files.writable-directories',
      'create a file in every directory that is there',
      ['writable'],
      onlyOf('/fn', '/tmp'),
    ),
    inside('files.no-sockets', 'find a socket file', ['find', 'socket'], 'none'),
    inside('files.no-fifos', 'find a named pipe', ['find', 'fifo'], 'none'),
    inside('files.no-block-devices', 'find a block device', ['find', 'block'], 'none'),
    inside(
      'files.no-other-devices',
      'find a character device besides the four',
      ['find', 'character'],
      onlyOf('/dev/full', '/dev/null', '/dev/random', '/dev/urandom'),
    ),
    inside(
      'files.no-set-id-programs',
      'find a program with a set-user-id or set-group-id bit that has an effect',
      ['find', 'set-id'],
      'none',
    ),
    inside(
      'files.descriptors',
      'use a descriptor that was inherited',
      ['descriptors'],
      like(
        /^0:(?:device|pipe)(?: [12]:(?:socket|pipe))+(?: 3:socket)?(?: [1-9]\d*:(?:socket|pipe|file))?$/,
        'stdin, output and the channel',
      ),
    ),
  ]
}

function waysOut(): ContainmentCheck[] {
  return [
    ofHost('files.no-host-canary', 'read a file of the host that anybody may read', ['read', '$canaryFile'], absent),
    ofHost(
      'files.no-host-directory',
      'find a directory of the host that anybody may enter',
      ['stat', '$canaryDirectory'],
      absent,
    ),
    ofHost(
      'files.write-host-canary',
      'write a file of the host that anybody may write',
      ['append', '$canaryFile'],
      absent,
    ),
    ofHost(
      'files.create-in-host-directory',
      'create a file in a directory of the host that anybody may write',
      ['leave', '$canaryNeighbour'],
      absent,
    ),
    ofHost(
      'files.dot-dot',
      'read the same file by going up from /tmp',
      ['read', '/tmp/../../../../../..$canaryFile'],
      absent,
    ),
    ofHost(
      'files.symbolic-link',
      'read the same file through a symbolic link',
      ['through-link', '$canaryFile'],
      absent,
    ),
    ofHost('files.proc-root', 'read it through /proc/1/root', ['read', '/proc/1/root$canaryFile'], absent),
    ofHost('files.data-directory', 'find the directory of the product', ['stat', '$productDirectory'], absent),
    onBun('files.no-host-canary', 'read a file of the host that anybody may read', ['read', '$canaryFile'], absent),
    onBun('files.proc-self-root', 'read it through /proc/self/root', ['read', '/proc/self/root$canaryFile'], absent),
    onBun('files.proc-first-root', 'read it through /proc/1/root', ['read', '/proc/1/root$canaryFile'], absent),
    onBun(
      'files.proc-working-directory',
      'read it through /proc/self/cwd',
      ['read', '/proc/self/cwd/../../../../..$canaryFile'],
      absent,
    ),
    onBun(
      'files.own-program',
      'open the running program for writing',
      ['write', '/proc/self/exe'],
      readOnly,
      'EACCES',
      'ETXTBSY',
    ),
    onBun(
      'files.bun-program',
      'open /usr/bin/bun for writing',
      ['write', '/usr/bin/bun'],
      readOnly,
      'EACCES',
      'ETXTBSY',
    ),
    onBun('files.write-runner', 'open the runner for writing', ['write', '$typescriptRunner'], readOnly, 'EACCES'),
    onBun('files.create-in-root', 'create a file in /', ['create', '/new'], readOnly),
    onBun('files.create-in-runner', 'create a file in /runner', ['create', '/runner/new'], readOnly),
    onBun('files.create-in-usr', 'create a file in /usr', ['create', '/usr/new'], readOnly),
  ]
}

function ofDirectory(name: string, path: string, words: string): ContainmentCheck[] {
  const within = path === '/' ? '' : path
  return [
    inside(`files.create-in-${name}`, `create a file in ${words}`, ['create', `${within}/new-file`], readOnly),
    inside(`files.mkdir-in-${name}`, `make a directory in ${words}`, ['mkdir', `${within}/new-directory`], readOnly),
    inside(`files.symlink-in-${name}`, `make a symbolic link in ${words}`, ['symlink', `${within}/new-link`], readOnly),
    inside(`files.rename-${name}`, `rename ${words}`, ['rename', path, '/tmp/moved'], readOnly, 'EXDEV', 'EBUSY'),
    inside(
      `files.mount-${name}`,
      `have ${words} mounted otherwise than read-only, without set-user-id and devices`,
      ['flags', path],
      allOf('ro', 'nosuid', 'nodev'),
    ),
  ]
}

function ofFile(name: string, path: string, words: string): ContainmentCheck[] {
  const crossing = [readOnly, 'EXDEV', 'EBUSY'] as const
  return [
    inside(`files.write-${name}`, `open ${words} for writing`, ['write', path], readOnly, 'EACCES', 'ETXTBSY'),
    inside(`files.truncate-${name}`, `truncate ${words}`, ['truncate', path], readOnly, 'EACCES', 'ETXTBSY'),
    inside(`files.unlink-${name}`, `remove ${words}`, ['unlink', path], readOnly, 'EBUSY'),
    inside(`files.replace-${name}`, `rename a file of its own over ${words}`, ['rename-over', path], ...crossing),
    inside(
      `files.hard-link-${name}`,
      `make a hard link to ${words} in /tmp`,
      ['hard-link', path],
      ...crossing,
      'EPERM',
    ),
    inside(`files.chmod-${name}`, `make ${words} writable`, ['chmod', path], readOnly),
    inside(
      `files.mount-of-${name}`,
      `have ${words} mounted otherwise than read-only, without set-user-id and devices`,
      ['flags', path],
      allOf('ro', 'nosuid', 'nodev'),
    ),
  ]
}

function scratchSpace(): ContainmentCheck[] {
  return [
    inside('files.scratch-empty', '/tmp is empty at the start', ['listing', '/tmp'], 'empty'),
    inside('files.scratch-writable', 'create a file in /tmp (allowed)', ['create', '/tmp/new'], 'done'),
    inside('files.scratch-set-id', `${scratch}without set-user-id`, ['flags', '/tmp'], allOf('nosuid')),
    inside('files.scratch-devices', `${scratch}without devices`, ['flags', '/tmp'], allOf('nodev')),
    inside('files.scratch-noexec', `${scratch}mounted noexec`, ['flags', '/tmp'], allOf('noexec')),
    inside('files.scratch-size', `${scratch}of the size that was asked for`, ['size', '/tmp'], '$scratchBytes'),
    inside(
      'files.scratch-inodes',
      `${scratch}with a bound on its files`,
      ['inodes', '/tmp'],
      like(/^[1-9]\d{0,4}$/, 'fewer than 100,000'),
    ),
    inside(
      'files.scratch-map-to-execute',
      'map a file of /tmp as executable',
      ['map-to-execute', '/tmp'],
      'EPERM',
      'EACCES',
    ),
    inside('files.code-listing', '/fn holds the own files and nothing else', ['listing', '/fn'], '$ownFiles'),
    inside('files.code-set-id', '/fn is mounted without set-user-id', ['flags', '/fn'], allOf('nosuid')),
    inside('files.code-devices', '/fn is mounted without devices', ['flags', '/fn'], allOf('nodev')),
    inside('files.code-noexec', '/fn is mounted noexec', ['flags', '/fn'], allOf('noexec')),
    inside(
      'files.code-inodes',
      '/fn has a bound on its files',
      ['inodes', '/fn'],
      like(/^[1-9]\d{0,4}$/, 'fewer than 100,000'),
    ),
    inside('files.working-directory', 'start in the own directory', ['directory'], '/fn'),
  ]
}
