import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

let test: TestApp
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.close())

const files = {
  'namespace.yaml': 'namespace: shop\nagents:\n  - name: helper\n    groups: [helpers]\n',
  'services/math/add.py': 'def add(a: int, b: int) -> int:\n    """Adds two numbers."""\n    return a + b\n',
}
const rules = `
rules:
  - id: helpers-add
    allow: group helpers
    tools: service math
  - id: small-only
    deny: anyone
    tools: math-add
    when: args.a > 100 || args.b > 100
    reason: Numbers up to 100.
`

/** The mistakes for which a file of rules is refused, `line:column message`. */
async function mistakes(text: string): Promise<string[]> {
  const given = [{ path: 'team.rules.yaml', text }]
  const { problems } = await test.manage('shop', 'policy.check', { namespace: 'shop', files: given })
  return (problems as JsonObject[]).map((one) => `${String(one.line)}:${String(one.column)} ${String(one.message)}`)
}

describe('short rules', () => {
  it('decide calls, and are named by their file and id with their reason', async () => {
    await test.apply('shop', { ...files, 'policies/team.rules.yaml': rules })
    const key = await test.key('shop', 'helper')
    const allowed = await test.call(key, 'shop', 'math-add', { a: 1, b: 2 })
    expect(allowed.message.result).toMatchObject({ structuredContent: { result: 3 } })
    const denied = JSON.stringify((await test.call(key, 'shop', 'math-add', { a: 1, b: 101 })).message)
    expect(denied).toContain('Numbers up to 100.')
    expect(denied).toContain('team.rules.yaml#small-only')
  })

  it('are kept and shown as the Cedar that they are', async () => {
    const { files: shown } = await test.manage('shop', 'policy.show', { namespace: 'shop' })
    const [file] = shown as JsonObject[]
    expect(file?.path).toBe('team.rules.yaml')
    expect(String(file?.text).split('\n')[2]).toBe(
      '@id("helpers-add") permit (principal in AgentGroup::"shop/helpers", action == Action::"call", resource in Service::"shop/math");',
    )
  })

  it('tell every mistake at the place where it stands in the file', async () => {
    expect(await mistakes(rules.replace('math-add', 'math-ad'))).toEqual([expect.stringMatching(/^8:5 .*math-ad/)])
    expect(await mistakes(rules.replace('args.a > 100', 'args.q > 100'))).toEqual([expect.stringMatching(/^9:5 .*q/)])
    expect(await mistakes(rules.replace('deny: anyone', 'deny: everyone'))).toEqual([
      expect.stringMatching(/^7:5 .*who/),
    ])
    expect(await mistakes(rules.replace('when: args.a > 100', 'when: (args.a > 100'))).toEqual([
      expect.stringMatching(/^9:5 .*one expression/),
    ])
    expect(await mistakes(rules.replace('small-only', 'helpers-add'))).toEqual([expect.stringMatching(/^6:5 .*taken/)])
    expect(await mistakes(rules.replace('reason:', 'raeson:'))).toEqual([expect.stringMatching(/^10:5 .*raeson/)])
    const several = rules
      .replace('tools: math-add', 'tools: [math-add, math-ad, math-a]')
      .replace('anyone', '[agent a1, anyone]')
    expect(await mistakes(several)).toEqual([
      expect.stringMatching(/^7:12 .*agent "shop\/a1"/),
      expect.stringMatching(/^8:23 .*math-ad/),
      expect.stringMatching(/^8:32 .*math-a"/),
    ])
    const conditions = rules.replace('when: args.a > 100 || args.b > 100', 'when: [args.a > 100, "hour > true"]')
    expect(await mistakes(conditions)).toEqual([expect.stringMatching(/^9:26 /)])
    const excepted = rules
      .replace('tools: math-add', 'tools: any tool\n    except: math-ad')
      .replace(/ {4}when.*\n/, '')
    expect(await mistakes(excepted)).toEqual([expect.stringMatching(/^9:5 .*math-ad/)])
    expect(await mistakes(rules)).toEqual([])
  })

  it('are refused as a whole where one is wrong, and change nothing', async () => {
    const wrong = rules.replace('when: args.a > 100', 'when: true }; permit (principal, action, resource) when { true')
    await expect(test.apply('shop', { ...files, 'policies/team.rules.yaml': wrong })).rejects.toThrow('one expression')
    const key = await test.key('shop', 'helper')
    const { message } = await test.call(key, 'shop', 'math-add', { a: 1, b: 101 })
    expect(isJsonObject(message.result) && message.result.isError).toBe(true)
  })
})
