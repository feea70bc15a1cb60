import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { killExporter } from '../support/killed-exporter.ts'
import { readTraceRequest, type ReceivedSpan } from '../support/otlp-messages.ts'
import { httpReceiver, syslogReceiver, type Receiver, type Sent } from '../support/receivers.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const webhookSecret = 'a canary secret of more than thirty-two characters'
const metricsToken = 'a-canary-token-of-more-than-thirty-two-characters'
const secrets = {
  hook: webhookSecret,
  collector: 'Bearer canary-collector',
  langfuse: 'pk-lf-canary:sk-lf-canary',
  langsmith: 'lsv2-canary',
  phoenix: 'phx-canary',
}
const files = {
  'namespace.yaml': 'namespace: demo\nagents:\n  - name: ann\n',
  'policies/demo.cedar': `
@id("may") permit (principal, action == Action::"call", resource in Namespace::"demo");
@id("not-much") @reason("Too much.")
forbid (principal, action == Action::"call", resource == Tool::"demo/pay") when { context.args has much && context.args.much };
`,
}
const schema = { type: 'object', properties: { much: { type: 'boolean' }, to: { type: 'string' } } }

let directory: string
let http: Receiver<Sent>
let syslog: Receiver<string>
/** What the receiver answers, and requests that it was sent and never answers. */
const state = { status: 200, isSilent: false }
const entries = [toolEntry('pay', () => textOutcome('paid 12 canary result'), 'demo', schema)]

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
  http = await httpReceiver(() => (state.isSilent ? null : state.status))
  syslog = await syslogReceiver()
})
afterAll(async () => {
  await Promise.all([http.kill(), syslog.kill()])
  rmSync(directory, { recursive: true, force: true })
})

const open = (): Promise<TestApp> => {
  const url = `http://127.0.0.1:${http.port}`
  return startTestApp({
    dataDirectory: directory,
    entries,
    configuration: {
      exporters: {
        secrets,
        networks: ['127.0.0.0/8'],
        intervalMs: 10,
        metricsToken,
        receivers: [
          { type: 'webhook', name: 'hook', url: `${url}/hook`, batch: 7, namespaces: ['demo'] },
          { type: 'otlp', name: 'collector', url: `${url}/v1/traces` },
          { type: 'otlp', name: 'langfuse', preset: 'langfuse', url },
          { type: 'otlp', name: 'langsmith', preset: 'langsmith', url, project: 'agents' },
          { type: 'otlp', name: 'phoenix', preset: 'phoenix', url: `${url}/phoenix/`, project: 'agents' },
          { type: 'syslog', name: 'siem', url: `tcp://127.0.0.1:${syslog.port}`, namespaces: ['demo'] },
        ],
      },
    },
  })
}

const takenAt = (path: string, sent = http.sent): readonly Sent[] =>
  sent.filter((one) => one.isTaken && one.path === path)
const eventsOf = (sent: readonly Sent[]): JsonObject[] =>
  takenAt('/hook', sent).flatMap(({ body }) => JSON.parse(body.toString()) as JsonObject[])
const spansAt = (path: string): readonly ReceivedSpan[] =>
  takenAt(path).flatMap(({ body }) => readTraceRequest(body).spans)
const callOf = (message: JsonObject): string => {
  const result = isJsonObject(message.result) ? message.result : {}
  return String(isJsonObject(result._meta) ? result._meta['mcpworks/call'] : '')
}

describe('receivers that are away while calls are made', () => {
  const calls: string[] = []
  let records: JsonObject[]

  it('keep no call waiting, whether they refuse, never answer or are not there', async () => {
    state.status = 503
    await syslog.kill()
    const app = await open()
    await app.apply('demo', files)
    const ann = await app.key('demo', 'ann')
    for (let at = 0; at < 10; at += 1)
      calls.push(callOf((await app.call(ann, 'demo', 'pay', { to: 'a canary argument' })).message))
    const exportersOf = async (): Promise<JsonObject[]> =>
      (await app.manage('platform', 'audit.exporters', {})).exporters as JsonObject[]
    // Those that are not answered from here on know already that they are refused.
    while ((await exportersOf()).some(({ failing }) => failing === null));
    state.isSilent = true
    const before = http.sent.length
    await http.until((sent) => sent.length > before)
    for (let at = 0; at < 10; at += 1)
      calls.push(callOf((await app.call(ann, 'demo', 'pay', { much: at % 2 === 0 })).message))
    expect(takenAt('/hook')).toEqual([])
    const exporters = await exportersOf()
    expect(exporters.map(({ name }) => name)).toEqual([...Object.keys(secrets), 'siem'])
    for (const { name, type, failing, waitingSince } of exporters) {
      expect([name, failing]).toEqual([name, type === 'syslog' ? 'unreachable' : 'status 503'])
      expect(Date.parse(String(waitingSince))).toBeLessThan(Date.now())
    }
    const { checks } = await app.manage('platform', 'platform.doctor', {})
    const siem = (checks as JsonObject[]).find(({ id }) => id === 'exporter siem')
    expect(siem).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^refuses: unreachable; records wait since 2/),
    })
    await app.close()
  })

  it('are sent everything once they are back, in its order and once', async () => {
    Object.assign(state, { status: 200, isSilent: false })
    await syslog.open()
    const app = await open()
    const ann = await app.key('demo', 'ann')
    calls.push(callOf((await app.call(ann, 'demo', 'pay', {})).message))
    const last = calls.at(-1) ?? ''
    const isLast = (event: JsonObject): boolean => event.subject === last && event.type === 'mcpworks.outcome.v1'
    await http.until((sent) => eventsOf(sent).some(isLast))
    await syslog.until((sent) => sent.some((message) => message.includes(last) && message.includes('- outcome [')))
    for (const path of tracePaths)
      await http.until(() => spansAt(path).some(({ attributes }) => attributes['mcpworks.call'] === last))
    const stored = await app.manage('demo', 'audit.events', {
      namespace: 'demo',
      format: 'record',
      after: -1,
      limit: 1000,
      waitSeconds: 0,
    })
    const { exporters } = await app.manage('platform', 'audit.exporters', {})
    for (const one of exporters as JsonObject[]) expect(one).toMatchObject({ failing: null, rejected: 0, dropped: 0 })
    await app.close()

    records = stored.events as JsonObject[]
    // Reading the log for the list is recorded and sent as well.
    const told = eventsOf(http.sent).map(({ id }) => id)
    expect(new Set(told).size).toBe(told.length)
    expect(told.slice(0, records.length)).toEqual(records.map(({ id }) => id))
    const logged = syslog.sent.map((message) => JSON.parse(message.slice(message.indexOf('] ') + 2)) as JsonObject)
    // The record of the stop reaches one of them, both or none before the server is gone.
    const both = Math.min(logged.length, told.length)
    expect(both).toBeGreaterThanOrEqual(records.length)
    expect(logged.slice(0, both).map(({ id }) => id)).toEqual(told.slice(0, both))
    expect(new Set(logged.map(({ call }) => call)).isSupersetOf(new Set(calls))).toBe(true)
  })

  it.each(['/v1/traces', '/api/public/otel/v1/traces', '/otel/v1/traces', '/phoenix/v1/traces'])(
    'have two spans of each call at %s',
    (path) => {
      const spans = spansAt(path)
      expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
      const whole = spans.filter(({ name }) => name !== 'policy.decide')
      expect(whole.map(({ attributes }) => attributes['mcpworks.call'])).toEqual(calls)
      for (const { spanId, traceId, start, end, attributes } of whole) {
        const decided = spans.filter(({ parentSpanId }) => parentSpanId === spanId)
        expect(decided).toMatchObject([{ name: 'policy.decide', traceId, start }])
        expect(end).toBeGreaterThanOrEqual(decided[0]?.end ?? end + 1n)
        const effect = decided[0]?.attributes['mcpworks.decision.effect']
        expect(attributes['error.type']).toBe(effect === 'allow' ? undefined : 'denied')
      }
      const denied = spans.filter(({ attributes }) => attributes['error.type'] === 'denied')
      expect(denied).toHaveLength(5)
      for (const span of denied) expect(span.status).toEqual({ code: 'ERROR', message: 'Too much.' })
    },
  )

  it('are told where each record is in the log', () => {
    for (const { attributes } of spansAt('/v1/traces')) {
      const record = records.find(({ id }) => id === attributes['mcpworks.record.id'])
      expect(record).toMatchObject({ call: attributes['mcpworks.call'] })
    }
  })

  it('know who sends, each in its own way', () => {
    const [collector] = takenAt('/v1/traces')
    expect(collector?.headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      authorization: 'Bearer canary-collector',
    })
    const [langfuse] = takenAt('/api/public/otel/v1/traces')
    expect(langfuse?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from(secrets.langfuse).toString('base64')}`,
      'x-langfuse-ingestion-version': '4',
    })
    const [langsmith] = takenAt('/otel/v1/traces')
    expect(langsmith?.headers).toMatchObject({ 'x-api-key': 'lsv2-canary', 'langsmith-project': 'agents' })
    const [phoenix] = takenAt('/phoenix/v1/traces')
    expect(phoenix?.headers).toMatchObject({ authorization: 'Bearer phx-canary', 'x-project-name': 'agents' })
    expect(readTraceRequest(phoenix?.body ?? Buffer.of()).resource).toMatchObject({
      'service.name': 'mcpworks',
      'openinference.project.name': 'agents',
    })
  })

  it('can check that the webhook is ours, and whether they had it before', () => {
    const sent = http.sent.filter(({ path }) => path === '/hook')
    for (const { headers, body } of sent) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body.toString()}`
      const signature = createHmac('sha256', webhookSecret).update(signed).digest('base64')
      expect(headers['webhook-signature']).toBe(`v1,${signature}`)
      expect(headers['content-type']).toBe('application/cloudevents-batch+json')
    }
    const ids = takenAt('/hook').map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(ids.length)
    const refused = sent.filter(({ isTaken }) => !isTaken)
    const bodyOf = new Map(sent.map(({ headers, body }) => [headers['webhook-id'], body.toString()]))
    for (const { headers, body } of refused) expect(bodyOf.get(headers['webhook-id'])).toBe(body.toString())
  })

  it('get neither arguments nor results nor secrets', () => {
    const bodies = [...http.sent.map(({ body }) => body.toString('latin1')), ...syslog.sent].join('\n')
    expect(bodies).toContain('not-much')
    expect(bodies).not.toMatch(/canary|paid 12/)
  })
})

describe('a server that is killed while it sends', () => {
  it('sends every record in its order, and again only what was under way', async ({ onTestFinished }) => {
    const place = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
    onTestFinished(() => rmSync(place, { recursive: true, force: true }))
    const points = [150]
    const { log, acknowledged, told, lines } = await killExporter(place, points)
    expect([...new Set(told)]).toEqual(log)
    expect(lines).toEqual(log)
    expect(acknowledged.filter((id) => !log.includes(id))).toEqual([])
    expect(log.length).toBeGreaterThanOrEqual(150)
    expect(told.length - log.length).toBeLessThanOrEqual(points.length * 100)
  })
})

describe('GET /metrics', () => {
  it('tells what happened, to whoever has its token and to nobody else', async () => {
    const app = await open()
    const ann = await app.key('demo', 'ann')
    const scrape = async (authorization?: string): Promise<Response> =>
      await fetch(`${app.app.url}/metrics`, { headers: authorization === undefined ? {} : { authorization } })
    await app.call(ann, 'demo', 'pay', {})
    await app.call(ann, 'demo', 'pay', { much: true })
    await app.call(ann, 'demo', 'no-such-tool', {})
    const read = async (): Promise<string> => await (await scrape(`Bearer ${metricsToken}`)).text()
    let text = await read()
    while (!text.includes('status="denied"') || !text.includes('(unknown)') || !text.includes('siem",type="syslog"} 1'))
      text = await read()
    const calls = 'mcpworks_calls_total{namespace="demo",method="tools/call",service="pay",tool="pay"'
    expect(text).toContain(`${calls},status="ok"} 1\n`)
    expect(text).toContain(`${calls},status="denied"} 1\n`)
    expect(text).toMatch(/mcpworks_decisions_total\{namespace="demo",door="tool",effect="deny",basis="forbid"\} 1\n/)
    expect(text).toContain('mcp_server_operation_duration_seconds_count{mcp_method_name="tools/call"')
    expect(text).toMatch(/\nmcpworks_up 1\n/)
    expect(text).toMatch(/\nmcpworks_decision_log_up 1\n/)
    expect(text).toMatch(/\nmcpworks_sandbox_up 1\n[^]*\nmcpworks_sandbox_executor_losses_total 0\n/)
    expect(text).toMatch(/\nmcpworks_checkpoint_age_seconds\{namespace="demo"\} [\d.]+\n/)
    expect(text).toMatch(/\nmcpworks_unsigned_records\{namespace="demo"\} \d+\n/)
    expect(text).toContain('mcpworks_exporter_up{exporter="hook",type="webhook"} 1\n')
    expect(text).not.toMatch(/canary|no-such-tool/)
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) |[a-z_]+(\{([a-z_]+="[^"\n]*",?)+\})? -?[\d.e+-]+$)/)

    const answers = [await scrape(), await scrape(`Bearer ${metricsToken}x`), await scrape(`Bearer ${ann}`)]
    for (const answer of answers) {
      expect(answer.status).toBe(401)
      expect(await answer.text()).not.toContain('mcpworks_')
    }
    const api = await fetch(`${app.app.url}/api/v1/namespaces`, {
      headers: { authorization: `Bearer ${metricsToken}` },
    })
    expect(api.status).toBe(401)
    await app.close()
  })
})

const tracePaths = ['/v1/traces', '/api/public/otel/v1/traces', '/otel/v1/traces', '/phoenix/v1/traces']
