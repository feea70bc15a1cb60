import { z } from 'zod'
import jailJson from './jail.json' with { type: 'json' }

const filterName = z.enum(['start', 'python', 'bun'])

const tmpfsSchema = z.strictObject({
  /** Octal. */
  mode: z.string().regex(/^[01][0-7]{3}$/),
  options: z.array(z.enum(['nosuid', 'nodev', 'noexec'])),
  inodes: z.int().positive(),
  /** Which size of the order bounds it. */
  size: z.enum(['code', 'scratch']),
})

const procfsSchema = z.strictObject({
  options: z.array(z.enum(['nosuid', 'nodev', 'noexec', 'ro'])),
  /** Paths below /proc that tell of the host: files, and directories with a final slash. */
  covered: z.array(z.string()),
  /** What of the own process is shown, where no more has to be: files and directories in /proc/self. */
  own: z.array(z.string()),
})

const schema = z.strictObject({
  hostname: z.string(),
  namespaces: z.array(z.enum(['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'])),
  network: z.literal('none'),
  uid: z.int().positive(),
  gid: z.int().positive(),
  capabilities: z.array(z.never()),
  workingDirectory: z.string(),
  environment: z.record(z.string(), z.string()),
  devices: z.array(z.string().startsWith('/dev/')),
  tmpfs: z.strictObject({ '/fn': tmpfsSchema, '/tmp': tmpfsSchema }),
  runner: z.string(),
  /** Where Python packages are, in the jails that have any. The Python runner looks there and nowhere else. */
  packages: z.string(),
  procfs: z.strictObject({ python: procfsSchema.nullable(), typescript: procfsSchema.nullable() }),
  filters: z.strictObject({ start: filterName, python: filterName, typescript: filterName }),
})

/** What a jail is, whichever engine makes it: mounts, environment, ids, namespaces, network and which filters. */
export type JailProfile = z.output<typeof schema>

/**
 * `jail.json`, checked. The one source from which every engine makes its own configuration. What of the host is shown
 * (a `RuntimeLayout`) and how much is granted (a `JailOrder`) are not in it.
 */
export const jailProfile: JailProfile = schema.parse(jailJson)
