import { jailProfile } from '../profile/jail-profile.ts'
import { nsjailDescriptors, type JailPlan, type PlannedProcfs, type PlannedTmpfs } from './jail-plan.ts'
import { textFormat, type EnumName, type Message } from './text-format.ts'

const kibibyte = 1024
const mebibyte = 1024 * 1024
const coverBytes = 4096

/** Holds only links and what is mounted on. nsjail's own root, which this covers, is larger and has no flags. */
const root: Message = {
  src: 'tmpfs',
  dst: '/',
  fstype: 'tmpfs',
  options: 'size=1048576,nr_inodes=4096,mode=0755',
  rw: false,
  nosuid: true,
  nodev: true,
}

/** nsjail's names of limits by their `RLIMIT_*` number, and the unit that nsjail takes them in. */
const limitFields: ReadonlyMap<number, { readonly name: string; readonly unit: number }> = new Map([
  [0, { name: 'rlimit_cpu', unit: 1 }],
  [1, { name: 'rlimit_fsize', unit: mebibyte }],
  [3, { name: 'rlimit_stack', unit: mebibyte }],
  [4, { name: 'rlimit_core', unit: mebibyte }],
  [6, { name: 'rlimit_nproc', unit: 1 }],
  [7, { name: 'rlimit_nofile', unit: 1 }],
  [8, { name: 'rlimit_memlock', unit: kibibyte }],
  [9, { name: 'rlimit_as', unit: mebibyte }],
  [12, { name: 'rlimit_msgqueue', unit: 1 }],
  [14, { name: 'rlimit_rtprio', unit: 1 }],
])

/**
 * The configuration of one jail, for nsjail 3.1 and later, in the text format of its `config.proto`. It is a
 * configuration and no command line, because an argument cannot give a mount its flags and cannot hold a path with a
 * colon. Only fields that mean the same in every release since 3.1 are used. nsjail does not make a time namespace
 * without a supervisor's offsets, which it cannot set: there is none. Pure, so that the profile's hash is the hash of this.
 * @throws Error for a string with a null character and for a limit that nsjail does not know
 */
export function nsjailConfig(plan: JailPlan): string {
  const { uid, gid, hostname, environment, devices, workingDirectory } = jailProfile
  const [program, ...args] = plan.command
  if (program === undefined) throw new Error('a jail needs a command')
  return textFormat({
    mode: named('ONCE'),
    hostname,
    cwd: workingDirectory,
    // The watch of the executor is exact; nsjail counts whole seconds.
    time_limit: 0,
    log_fd: plan.logDescriptor,
    // Its line "Executing" is the sign that the first process is there.
    log_level: named(plan.logDescriptor === nsjailDescriptors.stderr ? 'WARNING' : 'INFO'),
    keep_env: false,
    envar: [...Object.entries(environment), ['PWD', workingDirectory]].map(([name, value]) => `${name}=${value}`),
    keep_caps: false,
    disable_no_new_privs: false,
    skip_setsid: false,
    pass_fd: nsjailDescriptors.channel,
    nice_level: 0,
    clone_newuser: true,
    clone_newns: true,
    clone_newpid: true,
    clone_newnet: true,
    clone_newipc: true,
    clone_newuts: true,
    clone_newcgroup: true,
    iface_no_lo: true,
    // An empty id outside is the own one.
    uidmap: { inside_id: String(uid), outside_id: '', count: 1 },
    gidmap: { inside_id: String(gid), outside_id: '', count: 1 },
    ...limits(plan.limits),
    mount_proc: false,
    mount: [
      root,
      ...plan.binds.map(bind),
      ...plan.links.map(([target, path]): Message => ({ src: target, dst: path, is_symlink: true })),
      ...devices.map(device),
      ...(plan.procfs === null ? [] : procfs(plan.procfs)),
      ...plan.tmpfs.map(tmpfs),
      // nsjail makes directories only on the way to something.
      ...plan.emptyDirectories.map((path): Message => ({ src: 'nowhere', dst: `${path}/empty`, is_symlink: true })),
    ],
    seccomp_string: plan.policy,
    exec_bin: { path: program, arg: args },
  })
}

function named(enumName: string): EnumName {
  return { enumName }
}

/** Signals that wait: nsjail has no word for it. The runner puts it on itself, with all others, before it receives any code. */
const leftToRunner = new Set([11])

/** nsjail's defaults are low and partly in seconds of processor time, so every limit is named, if only to be left alone. */
function limits(bounds: JailPlan['limits']): Message {
  const given = new Map(bounds.filter(([number]) => !leftToRunner.has(number)))
  const fields: { [field: string]: number | EnumName } = {}
  for (const [number, { name, unit }] of limitFields) {
    const value = given.get(number)
    given.delete(number)
    if (value === undefined) fields[`${name}_type`] = named(name === 'rlimit_stack' ? 'SOFT' : 'HARD')
    else {
      fields[name] = Math.ceil(value / unit)
      fields[`${name}_type`] = named('VALUE')
    }
  }
  if (given.size > 0) throw new Error(`nsjail has no limit ${[...given.keys()].join(', ')}`)
  return fields
}

function bind([source, path]: readonly [string, string]): Message {
  return { src: source, dst: path, is_bind: true, rw: false, nosuid: true, nodev: true }
}

/** Read-only is a matter of the node's place, not of writing to it. */
function device(path: string): Message {
  return { src: path, dst: path, is_bind: true, is_dir: false, rw: false, nosuid: true, noexec: true }
}

function tmpfs({ path, bytes, inodes, mode }: PlannedTmpfs): Message {
  const options = `size=${String(bytes)},nr_inodes=${String(inodes)},mode=${mode}`
  return { src: 'tmpfs', dst: path, fstype: 'tmpfs', options, rw: true, nosuid: true, nodev: true, noexec: true }
}

function procfs({ path: place, isWritable, shows, covered }: PlannedProcfs): Message[] {
  const flags = { rw: false, nosuid: true, nodev: true, noexec: true }
  // hidepid=4: of other processes not even the existence.
  const options = shows === 'own' ? 'subset=pid,hidepid=4' : undefined
  const covers = covered.map((path): Message => {
    if (!path.endsWith('/'))
      return { src: '/dev/null', dst: path, is_bind: true, is_dir: false, ...flags, nodev: false }
    return {
      src: 'tmpfs',
      dst: path.slice(0, -1),
      fstype: 'tmpfs',
      options: `size=${String(coverBytes)},mode=0555`,
      ...flags,
    }
  })
  return [{ src: 'proc', dst: place, fstype: 'proc', options, ...flags, rw: isWritable }, ...covers]
}
