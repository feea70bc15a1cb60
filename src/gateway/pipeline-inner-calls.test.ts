import { describe, expect, it } from 'vitest'
import { events, harness, request, type PipelineOptions } from '../../test/support/pipeline-harness.ts'
import type { ActOutcome } from './backend.ts'
import type { GatewayAnswer } from './gateway-answer.ts'

describe('a call that running code makes', () => {
  const own = new AbortController().signal
  const done: ActOutcome = { status: 'ok', result: { content: [] } }

  it('is a call of its own: decided, recorded with its parent in the same run, and counted in the outcome of that', async () => {
    const depths: number[] = []
    const { gateway, drafts } = harness({
      entry: { calls: ['notes-add'] },
      async act({ depth }, _events, callTool) {
        depths.push(depth)
        if (depth === 0) expect(await callTool('notes-add', { text: 'inner' }, own)).toMatchObject({ status: 'ok' })
        return done
      },
    })
    const { call } = await gateway.perform(request(), events)
    expect(depths).toEqual([0, 1])
    expect(drafts.map(({ kind, parentCall }) => [kind, parentCall])).toEqual([
      ['decision', null],
      ['decision', call],
      ['outcome', call],
      ['outcome', null],
    ])
    expect(new Set(drafts.map(({ run }) => run)).size).toBe(1)
    expect(drafts[1]).toMatchObject({
      pre: { door: 'code', principal: { id: 'demo/writer' } },
      mcp: { method: 'tools/call', requestId: null },
    })
    expect(drafts.flatMap((draft) => (draft.kind === 'outcome' ? [draft.outcome.innerCalls] : []))).toEqual([0, 1])
  })

  it('is refused and recorded where the definition does not declare it, before policy is asked', async () => {
    const answers: GatewayAnswer[] = []
    const { gateway, drafts, judged } = harness({
      async act(_invocation, _events, callTool) {
        answers.push(await callTool('notes-add', {}, own), await callTool('notes-none', {}, own))
        return done
      },
    })
    await gateway.perform(request(), events)
    expect(answers).toMatchObject([{ status: 'denied' }, { status: 'denied' }])
    expect(answers.map((answer) => ('message' in answer ? answer.message.replace('none', 'add') : ''))).toEqual(
      Array(2).fill(
        'This function does not declare that it calls notes-add: its author names the tools it may call under "calls" in service.yaml.',
      ),
    )
    expect(judged).toEqual(['policy'])
    expect(drafts.map(({ kind }) => kind)).toEqual(['decision', 'decision', 'decision', 'outcome'])
    expect(drafts[1]).toMatchObject({ decision: { effect: 'deny', basis: 'barred' } })
  })

  it('may cause others, and all that one call causes are counted together', async () => {
    const answers: GatewayAnswer[] = []
    const { gateway } = harness({
      entry: { calls: ['notes-add'] },
      async act({ depth }, _events, callTool) {
        if (depth < 2) for (const _ of [1, 2]) answers.push(await callTool('notes-add', {}, own))
        return done
      },
    })
    await gateway.perform(request(), events)
    expect(answers.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'unavailable'])
    expect(answers.at(-1)).toMatchObject({
      code: 'overloaded',
      message: 'One call may cause 3 others, and has (gateway.maxInnerCalls).',
    })
  })

  it('has a place of its own where every place for calls of agents is taken', async () => {
    const { gateway } = harness({
      maxConcurrentCalls: 1,
      entry: { calls: ['notes-add'] },
      async act({ depth }, _events, callTool) {
        if (depth < 3) expect(await callTool('notes-add', {}, own)).toMatchObject({ status: 'ok' })
        return done
      },
    })
    expect(await gateway.perform(request(), events)).toMatchObject({ status: 'ok' })
  })

  it('is called off when the call that made it has acted, and its outcome is recorded first', async () => {
    const { gateway, drafts } = harness({
      entry: { calls: ['notes-add'] },
      async act({ depth }, { signal }, callTool) {
        if (depth === 0) {
          void callTool('notes-add', {}, own)
          return done
        }
        const stopped: ActOutcome = { status: 'killed', result: { content: [] }, detail: 'cancelled' }
        return await new Promise((resolve) =>
          signal.aborted ? resolve(stopped) : signal.addEventListener('abort', () => resolve(stopped)),
        )
      },
    })
    await gateway.perform(request(), events)
    expect(drafts.flatMap((draft) => (draft.kind === 'outcome' ? [draft.outcome.status] : []))).toEqual([
      'killed',
      'ok',
    ])
  })

  it('is refused where the credential was revoked while the code ran', async () => {
    const options: PipelineOptions = {
      entry: { calls: ['notes-add'] },
      async act(_invocation, _events, callTool) {
        options.revoked = true
        expect(await callTool('notes-add', {}, own)).toMatchObject({
          status: 'unavailable',
          code: 'credential_invalid',
        })
        return done
      },
    }
    expect(await harness(options).gateway.perform(request(), events)).toMatchObject({ status: 'ok' })
  })
})
