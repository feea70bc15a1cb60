import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../kernel/index.ts'
import { events, harness, request } from '../../test/support/pipeline-harness.ts'

describe('the records of the pipeline', () => {
  it('records who issued the token, to which client, and who acts with it for whom', async () => {
    const { gateway, drafts } = harness({})
    const plain = request()
    const token = { issuer: 'https://mcp.example.org', clientId: 'ci', tokenId: 't', actors: ['demo/b', 'demo/a'] }
    const authentication = { ...plain.caller.authentication, method: 'access-token' as const, token }
    await gateway.perform({ ...plain, caller: { ...plain.caller, authentication } }, events)
    await gateway.perform(plain, events)
    expect(drafts.filter(({ kind }) => kind === 'decision')).toMatchObject([
      {
        pre: {
          principal: { id: 'demo/writer', onBehalfOf: ['demo/a', 'demo/writer'] },
          authn: { token: { issuer: 'https://mcp.example.org', clientId: 'ci', actors: ['demo/b', 'demo/a'] } },
        },
      },
      { pre: { principal: { id: 'demo/writer', onBehalfOf: [] }, authn: { method: 'api-key' } } },
    ])
  })

  it('records by which key the caller was known and a keyed digest of the token, and not what the token is called', async () => {
    const { gateway, drafts } = harness({})
    const plain = request()
    const token = { issuer: 'i', clientId: null, tokenId: 'canary-jti', tokenIdHmac: 'hmac-sha256:0', actors: [] }
    const bound = { method: 'access-token' as const, binding: 'dpop' as const, keyThumbprint: 'jkt', token }
    const authentication = { ...plain.caller.authentication, ...bound }
    await gateway.perform({ ...plain, caller: { ...plain.caller, authentication } }, events)
    expect(drafts[0]).toMatchObject({ pre: { authn: { keyThumbprint: 'jkt', token: { idHmac: 'hmac-sha256:0' } } } })
    expect(JSON.stringify(drafts)).not.toContain('canary-jti')
  })

  it('keeps the output of management operations out of the record: it may hold a secret', async () => {
    const { gateway, drafts } = harness({})
    const answer = await gateway.perform(request({ kind: 'manage', operation: 'key.create', arguments: {} }), events)
    expect(answer).toMatchObject({ status: 'ok', result: { apiKey: 'shown once' } })
    expect(JSON.stringify(drafts)).not.toContain('shown once')
  })

  it('replaces a body over the audit limit by its size and digest', async () => {
    const { gateway, drafts } = harness({})
    await gateway.perform(
      request({ kind: 'call', tool: 'notes-add', arguments: { text: 'y'.repeat(500) }, resume: null }),
      events,
    )
    expect(drafts[0]).toMatchObject({
      kind: 'decision',
      bodies: { input: { json: expect.stringContaining('"omitted"') } },
    })
    expect(JSON.stringify(drafts)).not.toContain('yyyy')
  })

  it('keeps no more of the engine input than of any other body', async () => {
    const { gateway, drafts } = harness({ engineInput: JSON.stringify('z'.repeat(5000)) })
    await gateway.perform(request(), events)
    expect(drafts[0]).toMatchObject({ bodies: { engineInput: { json: expect.stringContaining('"omitted"') } } })
    expect(JSON.stringify(drafts)).not.toContain('zzzz')
  })

  it('writes no more than a name into the record, whatever a completion is asked for', async () => {
    const { gateway, drafts } = harness({})
    const ref: JsonObject = { type: 'ref/prompt', name: 'notes', more: 'w'.repeat(5000) }
    await gateway.perform(request({ kind: 'complete', ref, argument: {}, context: null }), events)
    expect(drafts[0]).toMatchObject({ pre: { target: { tool: 'notes' } } })
    await gateway.perform(request({ kind: 'read', uri: `x:${'v'.repeat(5000)}`, resume: null }), events)
    const [, second] = drafts.filter((draft) => draft.kind === 'decision')
    expect(second?.pre.target.tool).toHaveLength(515)
  })

  it('keeps one run for a principal, whatever credential it comes with, and another for another principal', async () => {
    const { gateway, drafts } = harness({})
    const other = request()
    await gateway.perform(request(), events)
    await gateway.perform(request(), events)
    await gateway.perform(
      { ...other, caller: { ...other.caller, authentication: { ...other.caller.authentication, credentialId: 'k2' } } },
      events,
    )
    await gateway.perform(
      { ...other, caller: { ...other.caller, principal: { ...other.caller.principal, id: 'demo/reader' } } },
      events,
    )
    const runs = drafts.filter((draft) => draft.kind === 'decision').map((draft) => draft.run)
    expect(runs[0]).toBe(runs[1])
    expect(runs[2]).toBe(runs[0])
    expect(runs[3]).not.toBe(runs[0])
  })
})

describe('what is kept beside the records', () => {
  it.each([
    ['request_response', null, [true, true, true]],
    ['request_response', 'request', [true, true, false]],
    ['request_response', 'metadata', [false, false, false]],
    ['request', null, [true, true, false]],
    ['request', 'request_response', [true, true, false]],
    ['metadata', 'request', [false, false, false]],
  ] as const)(
    'is the least of what the namespace (%s) and the policies (%s) say',
    async (ownLevel, recordLevel, kept) => {
      const { drafts, gateway } = harness({ ownLevel, ...(recordLevel === null ? {} : { recordLevel }) })
      await gateway.perform(request(), events)
      const [decision, outcome] = drafts
      if (decision?.kind !== 'decision' || outcome?.kind !== 'outcome') throw new Error('two records are due')
      const bodies = [decision.bodies.input, decision.bodies.engineInput, outcome.bodies.output]
      expect(bodies.map((body) => body !== null)).toEqual(kept)
    },
  )

  it('is nothing of arguments that break the schema, where a policy in scope says so', async () => {
    const problems = [{ path: '/a', message: 'is wrong' }]
    const strict = harness({ problems, recordLevel: 'metadata' })
    await strict.gateway.perform(request(), events)
    expect(strict.drafts[0]).toMatchObject({ bodies: { input: null } })
    const open = harness({ problems })
    await open.gateway.perform(request(), events)
    expect(open.drafts[0]).toMatchObject({ bodies: { input: { json: '{"text":"hi"}' } } })
  })
})
