import { z } from 'zod'
import { isNetwork, webhookSecretMistake } from '../egress/index.ts'

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/)
  .describe('Names it in commands, metrics and among the readers of the log: under a new name it begins anew.')

const common = {
  name,
  namespaces: z
    .array(z.string().min(1).max(40))
    .default([])
    .describe('Namespaces whose records it gets; all of them where the list is empty.'),
  from: z
    .enum(['end', 'beginning'])
    .default('end')
    .describe('Where it begins when it is new: with what is recorded from then on, or with the first record there is.'),
}

const format = z
  .enum(['record', 'ocsf', 'cloudevents'])
  .describe('Records as they are, OCSF API Activity (one event a call), or CloudEvents.')

const httpUrl = z.url({ protocol: /^https?$/ })

const otlpSchema = z.strictObject({
  type: z.literal('otlp'),
  ...common,
  preset: z
    .enum(['generic', 'langfuse', 'langsmith', 'phoenix'])
    .default('generic')
    .describe('The product whose path, headers and attributes are used.'),
  url: httpUrl
    .nullable()
    .default(null)
    .describe(
      'With the preset generic the whole address of its OTLP traces endpoint (…/v1/traces); else the address of the product, which Phoenix needs.',
    ),
  project: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[\x20-\x7e]+$/)
    .nullable()
    .default(null)
    .describe('Project of LangSmith or Phoenix.'),
  management: z
    .boolean()
    .default(false)
    .describe('Whether calls of the management API are sent too, and not only what agents do.'),
})

const webhookSchema = z.strictObject({
  type: z.literal('webhook'),
  ...common,
  url: httpUrl,
  format: format.default('cloudevents'),
  batch: z
    .number()
    .int()
    .min(1)
    .max(500)
    .default(100)
    .describe('Events in one request at most. With 1 each is sent by itself; else they come as an array.'),
})

const syslogSchema = z.strictObject({
  type: z.literal('syslog'),
  ...common,
  url: z
    .string()
    .max(300)
    .regex(/^(?:(?:tls|tcp|udp):\/\/(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+):[1-9]\d{0,4}|unix:\/[\x21-\x7e]+)$/i)
    .describe('tls://HOST:PORT, unix:PATH (a stream), or to loopback tcp://HOST:PORT and udp://HOST:PORT.'),
  format: format.default('record'),
  facility: z.number().int().min(0).max(23).default(13).describe('RFC 5424 section 6.2.1; 13 is the log audit.'),
  maxBytes: z
    .number()
    .int()
    .min(480)
    .max(1024 * 1024)
    .default(64 * 1024)
    .describe(
      'Longest message in bytes; of a longer one only the header, the id and the size are sent. Over UDP 2,048 at most.',
    ),
})

const fileSchema = z.strictObject({
  type: z.literal('file'),
  ...common,
  path: z
    .string()
    .max(4000)
    .regex(/^\/[^\0]*[^/\0]$/, 'an absolute path')
    .describe('A file that nothing else is written to, in a directory that is there: JSON, a line each.'),
  format: format.default('record'),
  maxBytes: z
    .number()
    .int()
    .min(4096)
    .max(2 ** 40)
    .default(100 * 1024 * 1024)
    .describe('Bytes that a file does not pass. One that is full is called PATH.1, the one before it PATH.2.'),
  files: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe('Full files that are kept; the oldest beyond them is deleted.'),
})

const receiverSchema = z.discriminatedUnion('type', [otlpSchema, webhookSchema, syslogSchema, fileSchema])

/** A receiver of the log. */
export type ReceiverConfig = z.output<typeof receiverSchema>
/** A receiver of spans. */
export type OtlpConfig = z.output<typeof otlpSchema>
/** A receiver of signed events. */
export type WebhookConfig = z.output<typeof webhookSchema>
/** A receiver of syslog. */
export type SyslogConfig = z.output<typeof syslogSchema>
/** A file of JSON lines. */
export type FileConfig = z.output<typeof fileSchema>

const secretsSchema = z.record(name, z.string().max(4096))

/** A file or variable holds text, `mcpworks.yaml` a mapping. */
const secretsText = z.string().transform((text, context): Record<string, string> => {
  try {
    const parsed = secretsSchema.safeParse(JSON.parse(text === '' ? '{}' : text))
    if (parsed.success) return parsed.data
  } catch {
    // Said without the text: it holds secrets.
  }
  context.addIssue({ code: 'custom', message: 'no JSON object of names and texts' })
  return z.NEVER
})

/** Where the log is sent as it grows. */
export const exportersConfigSchema = z
  .strictObject({
    secrets: z
      .union([secretsText, secretsSchema], {
        error: 'must be names of receivers with texts, or the same as a JSON object',
      })
      .default({})
      .describe(
        'Secret: what receivers know the server by, by the name of the receiver; as JSON in a variable. Of a webhook at least 32 characters that sign (or whsec_...), of Langfuse PUBLIC:SECRET, of LangSmith and Phoenix the API key, of other OTLP receivers the header Authorization.',
      ),
    networks: z
      .array(z.string().refine(isNetwork, 'a network in CIDR form, such as 10.1.0.0/16'))
      .default([])
      .describe('Networks beyond the public ones in which receivers may be.'),
    intervalMs: z
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(1000)
      .describe('Milliseconds after which receivers are given what is new in the log.'),
    metricsToken: z
      .string()
      .max(1000)
      .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without blanks')
      .refine((token) => token === '' || token.length >= 32, 'at least 32 characters')
      .default('')
      .describe(
        'Secret: at least 32 characters with which Prometheus reads GET /metrics (Authorization: Bearer). Shows names of namespaces and tools and how often what happened, and opens nothing else. Without it there is no such path.',
      ),
    receivers: z
      .array(receiverSchema)
      .max(20)
      .default([])
      .refine((receivers) => new Set(receivers.map((one) => one.name)).size === receivers.length, 'two have one name')
      .describe(
        'Who is sent the log, each at its own pace and in its order: otlp (spans, for Langfuse, LangSmith, Phoenix and any OpenTelemetry collector), webhook, syslog, file (JSON lines). See docs/exporters.md.',
      ),
  })
  .superRefine(({ receivers, secrets }, context) => {
    for (const [index, receiver] of receivers.entries()) {
      const message = mistakeOf(receiver, secrets[receiver.name] ?? null)
      if (message !== null) context.addIssue({ code: 'custom', path: ['receivers', index], message })
    }
    for (const message of sharedFiles(receivers)) context.addIssue({ code: 'custom', path: ['receivers'], message })
    const names = new Set(receivers.map((one) => one.name))
    for (const name of Object.keys(secrets))
      if (!names.has(name))
        context.addIssue({ code: 'custom', path: ['secrets'], message: `there is no receiver ${name}` })
  })

/** Two that write to one file, or one to the full files of another, would each take the lines of the other for damage. */
function sharedFiles(receivers: readonly ReceiverConfig[]): string[] {
  const paths = receivers.flatMap((one) => (one.type === 'file' ? [one.path] : []))
  const isShared = (path: string, at: number): boolean =>
    paths.some((other, position) => position !== at && (other === path || other === path.replace(/\.\d+$/, '')))
  return paths.filter(isShared).map((path) => `two receivers would write to ${path}`)
}

function mistakeOf(receiver: ReceiverConfig, secret: string | null): string | null {
  if (secret !== null && !/^[\x21-\x7e][\x20-\x7e]*$/.test(secret)) return 'its secret must be printable ASCII'
  if (receiver.type === 'webhook') return webhookSecretMistake(secret ?? '')
  if (receiver.type !== 'otlp') return null
  if (receiver.url === null && (receiver.preset === 'generic' || receiver.preset === 'phoenix'))
    return `needs an url with the preset ${receiver.preset}`
  if (receiver.preset === 'langfuse' && !/^[^:]+:.+$/.test(secret ?? ''))
    return 'Langfuse needs PUBLIC:SECRET in exporters.secrets'
  if (receiver.preset === 'langsmith' && secret === null) return 'LangSmith needs its API key in exporters.secrets'
  return null
}

/** Configuration of the exporters, validated. */
export type ExportersConfig = z.output<typeof exportersConfigSchema>
