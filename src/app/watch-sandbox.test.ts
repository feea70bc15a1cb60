import { Writable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { McpworksError, systemClock } from '../kernel/index.ts'
import { watchSandbox } from './watch-sandbox.ts'

const token = `ghp_${'canary'.repeat(5)}`
const ended = { exitCode: null, signal: 'SIGKILL', brokeProtocol: false, stderr: '' }

function watched() {
  const lines: Record<string, unknown>[] = []
  const into = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
      done()
    },
  })
  const watch = watchSandbox(pino({ level: 'info', base: null, timestamp: false }, into), systemClock)
  return { watch, lines }
}

describe('the executor of the sandbox', () => {
  it('that is lost leaves one line that says how it ended and what it said last, and one when it is up again', () => {
    const { watch, lines } = watched()
    const stderr = Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\n')
    watch.onChange({ type: 'lost', end: { ...ended, exitCode: 1, signal: null, stderr }, executions: 2 })
    watch.onChange({ type: 'started' })
    expect(lines).toEqual([
      {
        level: 50,
        exitCode: 1,
        signal: null,
        executions: 2,
        lastLines: Array.from({ length: 10 }, (_, n) => `line ${30 + n}`),
        msg: 'the sandbox executor was lost (exit code 1); what ran in it has ended, and it is started again',
      },
      { level: 30, losses: 1, msg: 'the sandbox executor is up again' },
    ])
    expect(watch.history()).toMatchObject({ losses: 1, lastLoss: { how: 'exit code 1' }, problem: null })
  })

  it('that cannot be started again leaves a line for each reason and not for each attempt', () => {
    const { watch, lines } = watched()
    const refusal = (message: string) => new McpworksError('sandbox_unavailable', { message, detail: 'out of memory' })
    watch.onChange({ type: 'lost', end: ended, executions: 0 })
    for (const why of ['no engine', 'no engine', 'no engine', 'no room'])
      watch.onChange({ type: 'not-started', error: refusal(why) })
    expect(lines.map(({ reason, lastLines }) => [reason, lastLines])).toEqual([
      [undefined, []],
      ['no engine', ['out of memory']],
      ['no room', ['out of memory']],
    ])
    expect(watch.history().problem).toBe('no room')
    watch.onChange({ type: 'started' })
    expect(watch.history()).toMatchObject({ losses: 1, lastLoss: { how: 'ended by SIGKILL' }, problem: null })
  })

  it('is quoted without credentials and without lines that never end', () => {
    const { watch, lines } = watched()
    const stderr = `token ${token}\n${'x'.repeat(5000)}\n`
    watch.onChange({ type: 'lost', end: { ...ended, brokeProtocol: true, stderr }, executions: 0 })
    expect(lines[0]?.lastLines).toEqual(['token [redacted github-token]', 'x'.repeat(300)])
    expect(lines[0]?.msg).toMatch(/did not keep to its protocol/)
    expect(JSON.stringify(lines)).not.toContain('canary')
  })
})
