import { z } from 'zod'

const mebibyte = 1024 * 1024

const ceilingsSchema = z.strictObject({
  wallMs: z
    .int()
    .min(10)
    .max(3_600_000)
    .default(300_000)
    .describe(
      'Milliseconds from the moment the code is handed over. At the end the execution is killed with all it started.',
    ),
  cpuMs: z
    .int()
    .min(10)
    .max(3_600_000)
    .default(300_000)
    .describe(
      'Milliseconds of processor time of all threads together. Measured every few milliseconds, so a short overshoot is possible.',
    ),
  memoryBytes: z
    .int()
    .min(32 * mebibyte)
    .max(1024 * 1024 * mebibyte)
    .default(2048 * mebibyte)
    .describe(
      'Bytes of memory of its own, without the shared pages of the runtime and without the scratch space. Python is refused more ' +
        'at once; for TypeScript it is watched every few milliseconds, so a fast allocation can pass it by some tens of MiB before the kill.',
    ),
  processes: z
    .int()
    .min(1)
    .max(4096)
    .default(128)
    .describe('Threads beyond those of the runtime. Further processes are refused at any setting.'),
  openFiles: z.int().min(16).max(65_536).default(512).describe('Files held open at once.'),
  scratchBytes: z
    .int()
    .min(0)
    .max(64 * 1024 * mebibyte)
    .default(256 * mebibyte)
    .describe(
      'Size in bytes of the writable /tmp, which is memory and is gone after the execution. Also the largest file that can be written.',
    ),
  resultBytes: z
    .int()
    .min(64)
    .max(64 * mebibyte)
    .default(8 * mebibyte)
    .describe('Size in bytes of the JSON that is returned. A larger result is an error, never cut off.'),
  outputBytes: z
    .int()
    .min(0)
    .max(16 * mebibyte)
    .default(mebibyte)
    .describe(
      'Bytes of stdout and stderr together that are kept. What is beyond is dropped and counted; an execution that writes ' +
        '16 times this and 4 MiB more is ended as a flood.',
    ),
  innerCalls: z
    .int()
    .min(0)
    .max(10_000)
    .default(1000)
    .describe(
      'Calls of other tools that one execution may make. Does not bound what the called tools do, nor the calls that they make in turn.',
    ),
})

/** The same bound with another default: the most under the profile `strict`. */
function tighter(name: keyof typeof ceilingsSchema.shape, most: number) {
  const bound = ceilingsSchema.shape[name]
  return bound
    .removeDefault()
    .default(most)
    .describe(bound.description ?? '')
}

const strictSchema = z.strictObject({
  wallMs: tighter('wallMs', 30_000),
  cpuMs: tighter('cpuMs', 10_000),
  memoryBytes: tighter('memoryBytes', 256 * mebibyte),
  processes: tighter('processes', 16),
  openFiles: tighter('openFiles', 64),
  scratchBytes: tighter('scratchBytes', 16 * mebibyte),
  resultBytes: tighter('resultBytes', mebibyte),
  outputBytes: tighter('outputBytes', 64 * 1024),
  innerCalls: tighter('innerCalls', 0),
})

/** Configuration of the sandbox: how hosted code is jailed. No setting of it can turn the jail off. */
export const sandboxConfigSchema = z.strictObject({
  engine: z
    .enum(['auto', 'nsjail', 'bubblewrap', 'crun', 'runc', 'runsc', 'kata'])
    .default('auto')
    .describe(
      'How a jail is made. "auto" takes the strongest engine that is there; there is no "none". nsjail, bubblewrap, crun and runc ' +
        'share the kernel with the host: a kernel bug reachable through the allowed system calls is not stopped. runsc (gVisor) ' +
        'answers system calls with a kernel of its own, many times slower; kata runs a virtual machine. Both are only by choice.',
    ),
  mode: z
    .enum(['fast', 'fresh'])
    .default('fast')
    .describe(
      'fast: jails are made in advance, and Python jails are forked from an interpreter that has started. fresh: a whole new jail ' +
        'and interpreter for each execution, many times slower; then executions share no address-space layout and no hash seed.',
    ),
  typescriptRuntime: z
    .enum(['bun', 'node'])
    .default('bun')
    .describe(
      'What TypeScript functions run on. Node needs two and a half times the processor time and twice the memory.',
    ),
  bubblewrapPath: z
    .string()
    .startsWith('/')
    .default('/usr/bin/bwrap')
    .describe('Absolute path of the bubblewrap program. It is trusted: whoever can write it owns every jail.'),
  pythonPath: z
    .string()
    .startsWith('/')
    .default('/usr/bin/python3')
    .describe(
      'Absolute path of the Python (3.9 or later) that hosted functions run on. Only its standard library, the time zones of the system and pythonPackagesDirectory are visible to them.',
    ),
  bunPath: z
    .string()
    .startsWith('/')
    .nullable()
    .default(null)
    .describe(
      'Absolute path of the Bun that TypeScript functions run on. null takes the one that is installed with the product.',
    ),
  nodePath: z
    .string()
    .startsWith('/')
    .nullable()
    .default(null)
    .describe(
      'Absolute path of the Node (24 or later) for typescriptRuntime "node". null takes the one that runs the server.',
    ),
  nsjailPath: z
    .string()
    .startsWith('/')
    .nullable()
    .default(null)
    .describe(
      'Absolute path of the nsjail program. null looks for it in /usr/local/bin, /usr/bin, /usr/sbin and /opt/nsjail.',
    ),
  ociRuntimePath: z
    .string()
    .startsWith('/')
    .nullable()
    .default(null)
    .describe(
      'Absolute path of the OCI runtime where engine is crun, runc, runsc or kata. null looks for it by its name in /usr/local/bin, /usr/bin and /usr/sbin.',
    ),
  pythonPackagesDirectory: z
    .string()
    .startsWith('/')
    .nullable()
    .default(null)
    .describe(
      'Absolute path of a directory of installed Python packages (a site-packages directory) that hosted functions may import. ' +
        'They see all of it, read-only, and it is trusted with what they compute. Every user must be able to read it; *.pth files in ' +
        'it are not followed. The first product of two matrices in numpy (OpenBLAS) needs a memoryBytes of 192 MiB or more; with less ' +
        'it may hang until a limit ends it. null: the standard library only.',
    ),
  pythonPreload: z
    .array(z.string().regex(/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/))
    .max(64)
    .default([])
    .describe(
      'Names of Python modules that are imported before a call is there (mode "fast"), such as pandas. Their memory is shared by all jails.',
    ),
  cgroups: z
    .enum(['auto', 'required', 'off'])
    .default('auto')
    .describe(
      'auto: every jail gets a cgroup (v2 or v1) where this server may make them, for exact bounds of memory, processor and processes. ' +
        'required: without cgroups nothing is run. off: limits are rlimits and a watch that looks every few milliseconds.',
    ),
  concurrency: z
    .int()
    .min(1)
    .max(1024)
    .default(16)
    .describe(
      'Executions at once; more wait in a queue. Times the memory and scratch space of one execution this is what hosted code can take; ' +
        'where functions call each other, up to twice that: each of four depths has a quarter as many places of its own.',
    ),
  waitingJails: z
    .int()
    .min(0)
    .max(256)
    .default(4)
    .describe(
      'Jails that wait, sealed and unused, for the next execution (mode "fast"). More are made when calls come faster, up to this; ' +
        'those that nobody needs are given up, and all of them where the machine is short of memory. 0: none waits.',
    ),
  queueLength: z
    .int()
    .min(0)
    .max(100_000)
    .default(1024)
    .describe('Executions that may wait for a place. Beyond it a call is refused at once.'),
  executorUid: z
    .int()
    .min(1)
    .max(4_294_967_293)
    .default(1_990_000_000)
    .describe(
      'Numeric user id that the executor takes when the server is started as root; it must belong to nobody. Not used otherwise: ' +
        'then jails run under the id of the server, which has to be trusted with no more than the sandbox needs.',
    ),
  executorGid: z.int().min(1).max(4_294_967_293).default(1_990_000_000).describe('Numeric group id, as executorUid.'),
  stagingDirectory: z
    .string()
    .startsWith('/')
    .default('/var/cache/mcpworks')
    .describe(
      'Where a server started as root puts what jails read (runners, the Bun program), readable by all and writable by root only. ' +
        'Not used otherwise. Its content is checked by hash at every start.',
    ),
  ceilings: ceilingsSchema
    .prefault({})
    .describe(
      'The most that any execution gets, whatever its function asks for: a larger bound is lowered to this, and the breach names this one.',
    ),
  strict: strictSchema
    .prefault({})
    .describe(
      'The most that an execution gets on which a policy forces the profile "strict" (never more than the ceilings). Such an execution also ' +
        'has a jail and an interpreter made anew for it alone, whatever the mode. Part of the hash of the profile that is recorded.',
    ),
})

/** Configuration of the sandbox, complete. */
export type SandboxConfig = z.output<typeof sandboxConfigSchema>
