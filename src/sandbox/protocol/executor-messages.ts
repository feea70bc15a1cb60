import { z } from 'zod'
import { sandboxConfigSchema } from '../config.ts'

/** Version of the protocol between server and executor. An executor of another release refuses to work. */
export const executorProtocolVersion = 1

/** Bounds of what the server sends: the files of a function are the largest part. */
export const toExecutorBounds = { headerBytes: 1024 * 1024, bodyBytes: 96 * 1024 * 1024 } as const
/** Bounds of what the executor sends: the ceilings of result and output are the largest part. */
export const fromExecutorBounds = { headerBytes: 256 * 1024, bodyBytes: 96 * 1024 * 1024 } as const

const count = z.int().nonnegative()
/** Executions that may wait for one another, one inside the other, beyond the first. */
const maxDepth = 8

const limitsSchema = z.strictObject({
  wallMs: count,
  cpuMs: count,
  memoryBytes: count,
  processes: count,
  openFiles: count,
  scratchBytes: count,
  resultBytes: count,
  outputBytes: count,
  innerCalls: count,
})

/** What an executor must know to start: the server's configuration, with the paths that it found itself. */
const settingsSchema = z.strictObject({
  ...sandboxConfigSchema.omit({ ceilings: true, strict: true }).shape,
  bunPath: z.string(),
  nodePath: z.string(),
})

/** What an executor must know to start. */
export type ExecutorSettings = z.output<typeof settingsSchema>

/** From the server. */
export const toExecutorSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), version: z.literal(executorProtocolVersion), settings: settingsSchema }),
  z.strictObject({
    type: z.literal('run'),
    /** Names the execution on this connection. */
    run: count,
    id: z.string(),
    runtime: z.enum(['python', 'typescript']),
    entry: z.strictObject({ file: z.string(), name: z.string() }),
    /** Path and size of each file in the body; the rest of the body is the input. */
    files: z.array(z.tuple([z.string(), count])),
    limits: limitsSchema,
    depth: z.int().min(0).max(maxDepth),
    /** Whether the jail must be made anew, whatever the mode. */
    fresh: z.boolean(),
    /** Whether somebody answers the calls that the code makes. */
    calls: z.boolean(),
  }),
  z.strictObject({ type: z.literal('cancel'), run: count }),
  /** How a call that the code made ended; with `answer` the body is the result as JSON. */
  z.strictObject({ type: z.literal('answer'), run: count, id: count }),
  z.strictObject({
    type: z.literal('refusal'),
    run: count,
    id: count,
    code: z.string(),
    message: z.string(),
  }),
])

const checkSchema = z.strictObject({ id: z.string(), ok: z.boolean(), expected: z.string(), got: z.string() })

const profileSchema = z.strictObject({ name: z.string(), hash: z.templateLiteral(['sha256:', z.string()]) })

const bound = z.int().nonnegative().nullable()

const readingSchema = z.strictObject({
  uid: count,
  hasCapabilities: z.boolean(),
  noNewPrivs: z.boolean(),
  seccompMode: count,
  seccompFilters: z.int().nullable(),
  namespaces: z.record(z.string(), count),
  shared: z.array(z.string()).readonly(),
  devices: z.array(z.string()).readonly(),
})

/** What the kernel told of the jail; see `JailEvidence`. */
const evidenceSchema = z.strictObject({
  kernel: z.enum(['host', 'guest']),
  before: readingSchema,
  after: readingSchema.nullable(),
  group: z.strictObject({ memoryBytes: bound, processes: bound }).nullable(),
})

const factsShape = {
  engine: z.string(),
  profile: z.string(),
  profileHash: z.templateLiteral(['sha256:', z.string()]),
  usage: z.strictObject({
    wallMs: z.number(),
    cpuMs: z.number(),
    maxRssBytes: z.number(),
    peakMemoryBytes: z.number().exactOptional(),
    peakProcesses: count.exactOptional(),
    readBytes: count.exactOptional(),
    writtenBytes: count.exactOptional(),
  }),
  droppedBytes: count,
  exitCode: count.exactOptional(),
  evidence: evidenceSchema.exactOptional(),
}

/** An outcome without its long texts, which are the body. */
const outcomeSchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('ok'), ...factsShape }),
  z.strictObject({
    status: z.literal('exception'),
    kind: z.string(),
    message: z.string(),
    trace: z.string(),
    ...factsShape,
  }),
  z.strictObject({ status: z.literal('invalid'), message: z.string(), ...factsShape }),
  z.strictObject({
    status: z.literal('limit'),
    limit: z.enum(['wall', 'cpu', 'memory', 'processes', 'open-files', 'scratch', 'result', 'output', 'inner-calls']),
    message: z.string(),
    ...factsShape,
  }),
  z.strictObject({
    status: z.literal('killed'),
    reason: z.enum(['cancelled', 'filter', 'signal', 'executor-lost']),
    message: z.string(),
    ...factsShape,
  }),
  z.strictObject({ status: z.literal('unavailable'), message: z.string(), ...factsShape }),
])

/** From the executor. */
export const fromExecutorSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('ready'),
    engine: z.string(),
    version: z.string(),
    profiles: z.strictObject({ python: profileSchema, typescript: profileSchema }),
    /** Of jails that are made anew. */
    freshProfiles: z.strictObject({ python: profileSchema, typescript: profileSchema }),
    cgroups: z.discriminatedUnion('inUse', [
      z.strictObject({ inUse: z.literal(true), detail: z.string() }),
      z.strictObject({ inUse: z.literal(false), reason: z.string(), remedy: z.string().nullable() }),
    ]),
    checks: z.array(checkSchema).readonly(),
  }),
  /** It cannot work; it exits after this. */
  z.strictObject({ type: z.literal('refused'), message: z.string(), checks: z.array(checkSchema).readonly() }),
  z.strictObject({
    type: z.literal('log'),
    run: count,
    level: z.enum(['debug', 'info', 'warning', 'error']),
    text: z.string(),
  }),
  z.strictObject({
    type: z.literal('progress'),
    run: count,
    progress: z.number(),
    total: z.number().nullable(),
    message: z.string().nullable(),
  }),
  /** The code asks for a call of another tool; the body is the arguments as JSON. */
  z.strictObject({ type: z.literal('call'), run: count, id: count, tool: z.string() }),
  /** Sizes of result, stdout and stderr in the body. */
  z.strictObject({
    type: z.literal('outcome'),
    run: count,
    outcome: outcomeSchema,
    sizes: z.tuple([count, count, count]),
  }),
])

/** A message from the server to the executor. */
export type ToExecutor = z.output<typeof toExecutorSchema>
/** A message from the executor to the server. */
export type FromExecutor = z.output<typeof fromExecutorSchema>
