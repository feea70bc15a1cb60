import { z } from 'zod'
import { isAddressOrRange } from './client-address.ts'
import { tlsConfigSchema } from './tls/tls-config.ts'

const loopbackHosts = ['127.0.0.1', '::1', 'localhost']

/** Settings of the HTTP server. */
export const HttpConfig = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe(
        'Address to listen on. Anything but loopback needs allowedHosts or publicUrl. Before leaving the machine set http.tls, or put TLS in front.',
      ),
    port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(7433)
      .describe('TCP port to listen on; 0 lets the system choose one.'),
    tls: tlsConfigSchema.prefault({}),
    publicUrl: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null)
      .describe('URL under which clients reach this server, for printed configurations; its host is allowed as Host.'),
    allowedHosts: z
      .array(z.string().regex(/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)$/, 'a lower-case host name or address, without port'))
      .max(100)
      .default([])
      .describe(
        'Host names that the Host header may carry besides loopback names on a loopback bind. Lower case, no port, no wildcard. Empty allows no further name.',
      ),
    allowedOrigins: z
      .array(z.string().regex(/^https?:\/\/[^/*\s]+$/, 'an origin such as https://console.example.org, without path'))
      .max(100)
      .default([])
      .describe(
        'Values that an Origin header may have besides this server itself. Empty refuses every page of another origin.',
      ),
    trustedProxies: z
      .array(z.string().refine(isAddressOrRange, 'an address such as 10.0.0.1, or a range such as 10.0.0.0/8'))
      .max(100)
      .default([])
      .describe(
        "Addresses of reverse proxies whose Forwarded or X-Forwarded-For header tells the client's address, for limits, policies and records. From any other address these headers are ignored. Whoever is named here can claim to be any address.",
      ),
    maxBodyBytes: z
      .number()
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(8 * 1024 * 1024)
      .describe('Largest request body in bytes. Does not bound what a function returns.'),
    maxJsonDepth: z
      .number()
      .int()
      .min(8)
      .max(256)
      .default(64)
      .describe('Deepest nesting of arrays and objects in a request body.'),
    maxConnections: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(2048)
      .describe('Open connections; further ones are dropped. Does not bound one client.'),
    headersTimeoutMs: z
      .number()
      .int()
      .min(100)
      .max(120_000)
      .default(10_000)
      .describe('Milliseconds in which the request headers must have arrived.'),
    requestTimeoutMs: z
      .number()
      .int()
      .min(100)
      .max(600_000)
      .default(30_000)
      .describe('Milliseconds in which the whole request must have arrived. Does not bound how long a call runs.'),
    keepAliveTimeoutMs: z
      .number()
      .int()
      .min(0)
      .max(600_000)
      .default(15_000)
      .describe('Milliseconds after which an idle connection is closed.'),
    sseKeepAliveMs: z
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(15_000)
      .describe(
        'Milliseconds between the comments that keep an open event stream alive. Credentials of open streams are checked again as often.',
      ),
    maxStreamBacklogBytes: z
      .number()
      .int()
      .min(16 * 1024)
      .max(64 * 1024 * 1024)
      .default(1024 * 1024)
      .describe(
        'Bytes that may wait for a slow reader of an event stream; notifications beyond are dropped, answers never.',
      ),
    maxSubscriptions: z
      .number()
      .int()
      .min(0)
      .max(100_000)
      .default(1024)
      .describe('Open event streams that wait for change notifications, in all.'),
    maxSubscriptionsPerCredential: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(16)
      .describe('The same for one credential.'),
    maxSessions: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(4096)
      .describe('Sessions of clients that speak MCP 2025-11-25 or older, in all. A new one replaces the longest idle.'),
    maxSessionsPerCredential: z.number().int().min(1).max(10_000).default(64).describe('The same for one credential.'),
    sessionIdleSeconds: z
      .number()
      .int()
      .min(10)
      .max(604_800)
      .default(3_600)
      .describe('Seconds after its last request that such a session ends. Clients then start a new one by themselves.'),
    inputTimeoutSeconds: z
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(600)
      .describe('Seconds that a call waits for an answer of the client or its user (elicitation, sampling, roots).'),
    requestStateSeconds: z
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(3_600)
      .describe('Seconds that the requestState of a multi-round-trip call stays good.'),
    requestStateKey: z
      .base64url()
      .length(43)
      .nullable()
      .default(null)
      .describe(
        'Secret: 32 random bytes in base64url that seal requestState. Without it each start makes its own key, and calls waiting for input do not outlive a restart.',
      ),
    listPageSize: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(200)
      .describe('Entries on one page of tools/list, resources/list and prompts/list.'),
    listTtlMs: z
      .number()
      .int()
      .min(0)
      .max(86_400_000)
      .default(5_000)
      .describe(
        'Milliseconds that clients may keep a list (ttlMs of MCP 2026-07-28). A policy change shows that much later in lists; calls follow it at once.',
      ),
  })
  .superRefine((config, context) => {
    if (config.tls.certificateFile !== null && config.publicUrl?.startsWith('https:') !== true)
      context.addIssue({
        code: 'custom',
        path: ['publicUrl'],
        message: 'with TLS publicUrl must be the https URL whose name the certificate has',
      })
    if (loopbackHosts.includes(config.host)) return
    if (config.allowedHosts.length > 0 || config.publicUrl !== null) return
    context.addIssue({
      code: 'custom',
      path: ['allowedHosts'],
      message: `listening on ${config.host} needs allowedHosts or publicUrl: without them no Host header would be right`,
    })
  })

/** Settings of the HTTP server, validated. */
export type HttpConfig = z.output<typeof HttpConfig>

/** Whether an address to listen on stays on this machine. */
export function isLoopbackHost(host: string): boolean {
  return loopbackHosts.includes(host)
}

/** Whether an address to listen on means every address of the machine. */
export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
