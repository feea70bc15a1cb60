import { expect, it } from 'vitest'
import { readRetryAfter } from './post-to-receiver.ts'
import { signWebhook, webhookKey } from './webhook/sign-webhook.ts'

it.each([
  ['120', 120_000],
  ['0', 0],
  ['Fri, 02 Jan 2026 03:04:15 GMT', 10_000],
  ['Fri, 02 Jan 2026 03:04:00 GMT', 0],
  ['-1', 0],
  ['soon', 0],
  ['2027', 2_027_000],
  ['99999999999999999999', 0],
  ['Fri, 99 Jan 2026 03:04:15 GMT', 0],
  [undefined, 0],
])('reads of Retry-After %j how long to wait: %i ms', (text, expected) => {
  expect(readRetryAfter(text, Date.parse('2026-01-02T03:04:05Z'))).toBe(expected)
})

it('signs as the example of Standard Webhooks does', () => {
  const key = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
  const body = '{"test": 2432232314}'
  expect(signWebhook(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_999, body)).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})
