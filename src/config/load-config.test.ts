import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig, type ConfigOutcome } from './load-config.ts'

function load(
  yaml: string | null,
  env: Record<string, string> = {},
  flags: Record<string, string> = {},
): ConfigOutcome {
  const cwd = mkdtempSync(join(tmpdir(), 'mcpworks-config-'))
  if (yaml !== null) writeFileSync(join(cwd, 'mcpworks.yaml'), yaml)
  return loadConfig({ env, flags, file: null, cwd })
}

describe('the configuration', () => {
  it('is complete without any file', () => {
    expect(load(null)).toMatchObject({ ok: true, config: { http: { host: '127.0.0.1', port: 7433 } }, file: null })
  })

  it('takes flags before the environment, the environment before the file, the file before defaults', () => {
    const yaml = 'http:\n  port: 1001\n  maxBodyBytes: 2048\ngateway:\n  maxConcurrentCalls: 3\n'
    const outcome = load(
      yaml,
      { MCPWORKS_HTTP_PORT: '1002', MCPWORKS_HTTP_MAX_BODY_BYTES: '4096' },
      { 'http.port': '1003' },
    )
    expect(outcome).toMatchObject({
      ok: true,
      config: { http: { port: 1003, maxBodyBytes: 4096 }, gateway: { maxConcurrentCalls: 3 } },
    })
    if (!outcome.ok) return
    expect(outcome.origins.get('http.port')).toBe('flag --http.port')
    expect(outcome.origins.get('http.maxBodyBytes')).toBe('environment MCPWORKS_HTTP_MAX_BODY_BYTES')
    expect(outcome.origins.get('gateway.maxConcurrentCalls')).toMatch(/mcpworks\.yaml$/)
  })

  it('names every mistake at once, with path, origin and what to do', () => {
    const outcome = load('http:\n  prot: 1\nlog:\n  level: loud\n', {
      MCPWORKS_HTTP_PORT: 'eighty',
      MCPWORKS_HTP_PORT: '1',
    })
    expect(outcome.ok).toBe(false)
    if (outcome.ok) return
    expect(outcome.problems).toHaveLength(4)
    expect(outcome.problems).toContainEqual(
      expect.objectContaining({ path: 'http.prot', fix: expect.stringContaining('http.port') }),
    )
    expect(outcome.problems).toContainEqual(
      expect.objectContaining({ path: 'log.level', origin: expect.stringMatching(/mcpworks\.yaml$/) }),
    )
    expect(outcome.problems).toContainEqual(
      expect.objectContaining({ path: 'http.port', origin: 'environment MCPWORKS_HTTP_PORT' }),
    )
    expect(outcome.problems).toContainEqual(
      expect.objectContaining({
        origin: 'environment MCPWORKS_HTP_PORT',
        fix: expect.stringContaining('MCPWORKS_HTTP_PORT'),
      }),
    )
  })

  it('refuses keys that would reach a prototype', () => {
    expect(load('__proto__:\n  polluted: true\n').ok).toBe(false)
    expect(load('http:\n  constructor: 1\n').ok).toBe(false)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it('refuses broken YAML and a missing file that was asked for', () => {
    expect(load('http: [')).toMatchObject({ ok: false })
    const cwd = mkdtempSync(join(tmpdir(), 'mcpworks-config-'))
    expect(loadConfig({ env: {}, flags: {}, file: join(cwd, 'nope.yaml'), cwd })).toMatchObject({
      ok: false,
      problems: [{ message: 'the file does not exist' }],
    })
  })

  it('refuses to listen beyond this machine without a list of hosts', () => {
    expect(load('http:\n  host: 0.0.0.0\n')).toMatchObject({ ok: false, problems: [{ path: 'http.allowedHosts' }] })
    expect(load('http:\n  host: 0.0.0.0\n  allowedHosts: [mcp.example.org]\n').ok).toBe(true)
  })

  it('takes programs to run from a file that was named, never from one that was merely found', () => {
    const yaml = 'sandbox:\n  pythonPath: /somewhere/python3\n'
    expect(load(yaml)).toMatchObject({ ok: false, problems: [{ path: 'sandbox.pythonPath' }] })
    const cwd = mkdtempSync(join(tmpdir(), 'mcpworks-config-'))
    const file = join(cwd, 'mine.yaml')
    writeFileSync(file, yaml)
    expect(loadConfig({ env: {}, flags: {}, file, cwd }).ok).toBe(true)
  })

  it('does not take a file from the current directory that others can write', () => {
    const cwd = mkdtempSync(join(tmpdir(), 'mcpworks-config-'))
    const file = join(cwd, 'mcpworks.yaml')
    writeFileSync(file, 'http:\n  port: 1\n')
    chmodSync(file, 0o666)
    expect(loadConfig({ env: {}, flags: {}, file: null, cwd }).ok).toBe(false)
    chmodSync(file, 0o644)
    expect(loadConfig({ env: {}, flags: {}, file: null, cwd }).ok).toBe(true)
  })

  it('reads a value from the file that a variable ending in _FILE names', () => {
    const directory = mkdtempSync(join(tmpdir(), 'mcpworks-secret-'))
    const path = join(directory, 'key')
    const key = Buffer.alloc(32, 7).toString('base64url')
    writeFileSync(path, `${key}\n`)
    expect(load(null, { MCPWORKS_HTTP_REQUEST_STATE_KEY_FILE: path })).toMatchObject({
      ok: true,
      config: { http: { requestStateKey: key } },
    })
    expect(load(null, { MCPWORKS_HTTP_REQUEST_STATE_KEY_FILE: join(directory, 'nope') })).toMatchObject({ ok: false })
  })

  it('leaves the variables of the command line alone', () => {
    expect(load(null, { MCPWORKS_API_KEY: 'x', MCPWORKS_URL: 'http://127.0.0.1:1' }).ok).toBe(true)
  })
})
