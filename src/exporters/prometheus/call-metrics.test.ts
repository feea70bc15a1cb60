import { describe, expect, it } from 'vitest'
import type { CallExplanation } from '../../audit/index.ts'
import { createCallMetrics } from './call-metrics.ts'
import { metricsText } from './metrics-text.ts'
import { createHistogram } from './series.ts'

const call = {
  namespace: 'demo',
  what: { method: 'tools/call', tool: 'leads-export', service: 'leads', door: 'tool' },
  decision: { effect: 'allow', basis: 'permit', rules: [] },
  facts: { definitionHash: 'sha256:bb' },
  outcome: { status: 'ok', durationMs: 60 },
} as unknown as CallExplanation

describe('metrics of calls', () => {
  it('are what Prometheus reads', () => {
    const metrics = createCallMetrics()
    metrics.countRecord('demo', 'decision')
    metrics.countCall(call)
    metrics.countCall({ ...call, outcome: { ...call.outcome, status: 'tool-error', durationMs: 700_000 } as never })
    metrics.countCall({ ...call, decision: { ...call.decision, effect: 'deny', basis: 'forbid' }, outcome: null })
    const text = metricsText(metrics.families())
    expect(text).toContain('# TYPE mcpworks_calls_total counter\n')
    expect(text).toContain('mcpworks_records_total{namespace="demo",kind="decision"} 1\n')
    expect(text).toContain('mcpworks_decisions_total{namespace="demo",door="tool",effect="allow",basis="permit"} 2\n')
    expect(text).toContain('mcpworks_decisions_total{namespace="demo",door="tool",effect="deny",basis="forbid"} 1\n')
    const labels = 'namespace="demo",method="tools/call",service="leads",tool="leads-export"'
    for (const status of ['ok', 'tool-error', 'denied'])
      expect(text).toContain(`mcpworks_calls_total{${labels},status="${status}"} 1\n`)
    const duration =
      'mcp_method_name="tools/call",gen_ai_tool_name="leads-export",error_type="",mcpworks_namespace="demo"'
    const name = 'mcp_server_operation_duration_seconds'
    expect(text).toContain(`${name}_bucket{${duration},le="0.05"} 0\n${name}_bucket{${duration},le="0.1"} 1\n`)
    expect(text).toContain(`${name}_bucket{${duration},le="+Inf"} 1\n${name}_sum{${duration}} 0.06\n`)
    expect(text).toMatch(/error_type="tool_error",mcpworks_namespace="demo",le="300"\} 0\n/)
  })

  it('are bounded, whatever names callers try', () => {
    const metrics = createCallMetrics()
    for (let at = 0; at < 5000; at += 1)
      metrics.countCall({
        ...call,
        what: { ...call.what, tool: `guess-${at}` },
        facts: { ...call.facts, definitionHash: null },
      })
    expect(metricsText(metrics.families())).toContain('tool="(unknown)",status="ok"} 5000\n')
    for (let at = 0; at < 5000; at += 1) metrics.countCall({ ...call, what: { ...call.what, tool: `tool-${at}` } })
    const lines = metricsText(metrics.families()).split('\n')
    expect(lines.length).toBeLessThan(15_000)
    expect(lines.find((line) => line.startsWith('mcpworks_calls_total{namespace="(other)"'))).toMatch(
      /status="ok"\} 3001$/,
    )
  })

  it('hold any text in a label without breaking a line', () => {
    const metrics = createCallMetrics()
    metrics.countRecord('a"b\\c\nd\ud800', 'decision')
    expect(metricsText(metrics.families())).toContain('{namespace="a\\"b\\\\c\\nd\ufffd",kind="decision"} 1\n')
  })

  it('put an observation into the bucket whose bound it reaches', () => {
    const histogram = createHistogram('h', 'H.', [1, 2], 10, (labels) => labels)
    for (const value of [0.5, 1, 2, 3]) histogram.add({}, value)
    const values = histogram.family().samples.map(({ suffix, labels, value }) => [suffix, labels['le'], value])
    expect(values).toEqual([
      ['_bucket', '1', 2],
      ['_bucket', '2', 3],
      ['_bucket', '+Inf', 4],
      ['_sum', undefined, 6.5],
      ['_count', undefined, 4],
    ])
  })
})
