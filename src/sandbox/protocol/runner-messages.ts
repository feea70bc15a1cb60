import { z } from 'zod'

/** Version of the protocol between executor and runner. Both are of the same release, so there is one at a time. */
const runnerProtocolVersion = 1

/** In UTF-16 units. Runners cut at half of this in characters, and a character has at most two units. */
const maxText = 16_000

/** Bounds of the calls of other tools that hosted code makes. */
export const innerCallBounds = { atOnce: 16, argumentBytes: 1024 * 1024, resultBytes: 1024 * 1024 } as const

/** What a runner may send. All of it is hostile: after `ready` the sender is the hosted code. */
export const runnerMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('ready'),
    version: z.literal(runnerProtocolVersion),
    nonce: z.string().max(64),
  }),
  z.strictObject({
    type: z.literal('log'),
    level: z.enum(['debug', 'info', 'warning', 'error']),
    text: z.string().max(maxText),
  }),
  z.strictObject({
    type: z.literal('progress'),
    progress: z.number(),
    total: z.number().nullable(),
    message: z.string().max(2000).nullable(),
  }),
  /** Asks for a call of another tool; the body is its arguments as JSON. Each id is greater than the one before. */
  z.strictObject({ type: z.literal('call'), id: z.int().positive(), tool: z.string().regex(/^[\w./-]{1,128}$/) }),
  z.strictObject({ type: z.literal('result') }),
  z.discriminatedUnion('status', [
    z.strictObject({
      type: z.literal('error'),
      status: z.literal('exception'),
      kind: z.string().max(400),
      message: z.string().max(maxText),
      trace: z.string().max(maxText),
    }),
    z.strictObject({ type: z.literal('error'), status: z.literal('invalid'), message: z.string().max(maxText) }),
    z.strictObject({
      type: z.literal('error'),
      status: z.literal('limit'),
      limit: z.enum(['memory', 'processes', 'open-files', 'scratch', 'result']),
    }),
  ]),
])

/** A message from a runner, of the right form; its content is still hostile. */
export type RunnerMessage = z.output<typeof runnerMessageSchema>

/** To a runner, with the filter as the body: what it binds itself by before it may receive code. */
export interface SetupMessage {
  /** Pairs of resource number and value for `setrlimit`, soft and hard. */
  readonly limits: readonly (readonly [number, number])[]
  /** For `RLIMIT_DATA`, which each runtime reckons differently. */
  readonly dataBytes: number
  readonly seccompNumber: number
  /** To be given back with `ready`; of use once. */
  readonly nonce: string
}

/** To a sealed runner, with the files and then the input as the body. */
export interface RunMessage {
  readonly entry: { readonly file: string; readonly name: string }
  /** Path and size of each file, in the order of the body. */
  readonly files: readonly (readonly [string, number])[]
  readonly resultBytes: number
  /** Bounds that a runner keeps to by itself, so that honest code is never taken for hostile. */
  readonly calls: { readonly atOnce: number; readonly argumentBytes: number }
}

/** To a running runner: how a call of another tool ended. With `answer` the body is the result as JSON. */
export type AnswerMessage =
  | { readonly type: 'answer'; readonly id: number }
  | { readonly type: 'refusal'; readonly id: number; readonly code: string; readonly message: string }
