import { expect, it } from 'vitest'
import { createMemoryCatalogue } from '../gateway/index.ts'
import { answerInnerCall } from './answer-inner-call.ts'

it('tells running code that a call waits for a person, and how it is made again', async () => {
  const call = { tool: 'refund', argumentsJson: '{}', signal: new AbortController().signal }
  const answer = await answerInnerCall(
    call,
    'shop',
    async () => ({
      status: 'denied',
      call: 'c',
      message: 'Refunds need a person.',
      rules: ['team.cedar#a'],
      remedy: 'approval',
      approval: { id: 'r', status: 'pending', expiresAtMs: 1, sentence: 'Request r waits.' },
    }),
    createMemoryCatalogue(),
  )
  expect(answer).toEqual({ ok: false, code: 'denied', message: 'Refunds need a person. Request r waits.' })
})
