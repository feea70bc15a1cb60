import type { PolicyRequest } from '../decision.ts'
import type { Domain, Domains } from './domain.ts'
import { firstAddress, firstNumber, firstSet, firstText } from './domain.ts'
import type { Atom, Formula } from './formula.ts'

const atom = (value: Atom, holds = true): Formula => ({ kind: 'atom', atom: value, holds })
const oneOf = (path: string, texts: readonly string[]): Formula => ({
  kind: 'or',
  parts: texts.map((value) => atom({ kind: 'text', path, value })),
})

const figures = ['calls_minute', 'calls_day', 'bytes_out_day', 'spend_day', 'running']

/** What holds of the circumstances of every call of an agent, whatever it does. */
export function circumstancesOfCalls(): Formula {
  const between = (path: string, least: number, most: number): Formula[] => [
    atom({ kind: 'at-most', path, value: most, unit: 'long' }),
    atom({ kind: 'at-most', path, value: least - 1, unit: 'long' }, false),
  ]
  const usage = ['agent', 'tool'].flatMap((of) =>
    figures.flatMap((figure) => between(`usage.${of}.${figure}`, 0, Number.MAX_SAFE_INTEGER)),
  )
  const bound = (is: boolean): Formula => ({
    kind: 'and',
    parts: [
      atom({ kind: 'true', path: 'authn.sender_constrained' }, is),
      is ? oneOf('authn.binding', ['dpop', 'mtls']) : oneOf('authn.binding', ['none']),
    ],
  })
  return {
    kind: 'and',
    parts: [
      ...between('hour', 0, 23),
      ...between('weekday', 1, 7),
      ...between('authn.age_seconds', 0, 0),
      ...usage,
      oneOf('door', ['tool', 'code']),
      oneOf('operation', ['']),
      oneOf('authn.method', ['api-key', 'access-token']),
      { kind: 'or', parts: [bound(false), bound(true)] },
    ],
  }
}

/** Circumstances that fit what they can still be, as near to `ordinary` as may be; `null` where none were found. */
export function circumstancesOf(domains: Domains, ordinary: PolicyRequest['context']): PolicyRequest['context'] | null {
  const of = (path: string): Domain | undefined => domains.get(path)
  const text = (path: string, proposed: string): string | null => {
    const domain = of(path)
    return domain === undefined ? proposed : firstText(domain, proposed)
  }
  const method = text('authn.method', ordinary.authentication.method)
  const door = text('door', ordinary.door)
  const binding = text('authn.binding', 'none')
  const issuer = text('authn.issuer', '')
  const client = text('authn.client', '')
  const timeMs = timeOf(domains, ordinary.timeMs)
  const addresses = of('address')
  const address = addresses === undefined ? ordinary.address : firstAddress(addresses, ordinary.address)
  const labels = setOf(of('labels'), ordinary.labels)
  const actors = setOf(of('authn.actors'), [])
  const usage = { agent: usageOf(domains, 'agent'), tool: usageOf(domains, 'tool') }
  if (method === null || door === null || binding === null || issuer === null || client === null) return null
  if (timeMs === null || address === null || labels === null || actors === null) return null
  if (usage.agent === null || usage.tool === null) return null
  return {
    authentication: {
      method,
      senderConstrained: of('authn.sender_constrained')?.truth ?? binding !== 'none',
      ...(binding === 'none' ? {} : { binding: binding as 'dpop' | 'mtls' }),
      ...(issuer === '' ? {} : { issuer }),
      ...(client === '' ? {} : { client }),
      ...(actors.length === 0 ? {} : { actors }),
    },
    door: door as PolicyRequest['context']['door'],
    operation: '',
    labels,
    ...(of('approved')?.truth === true ? { approved: true } : {}),
    ...(isUsed(domains) ? { usage: { agent: usage.agent, tool: usage.tool } } : {}),
    timeMs,
    address,
  }
}

function setOf(domain: Domain | undefined, ordinary: readonly string[]): string[] | null {
  return domain === undefined ? [...ordinary] : (firstSet(domain)?.map(String) ?? null)
}

const isUsed = (domains: Domains): boolean =>
  [...domains].some(([path, domain]) => path.startsWith('usage.') && firstNumber(domain) !== 0)

type Figures = NonNullable<PolicyRequest['context']['usage']>['agent']

function usageOf(domains: Domains, of: 'agent' | 'tool'): Figures | null {
  const numbers = figures.map((figure) => {
    const domain = domains.get(`usage.${of}.${figure}`)
    return domain === undefined ? 0 : firstNumber(domain)
  })
  const [callsMinute, callsDay, bytesOutDay, spendDay, running] = numbers
  if (numbers.includes(null)) return null
  return {
    callsMinute: callsMinute ?? 0,
    callsDay: callsDay ?? 0,
    bytesOutDay: bytesOutDay ?? 0,
    spendDay: spendDay ?? 0,
    running: running ?? 0,
  }
}

const hourMs = 3_600_000
const hoursLooked = 24 * 8

/** A time whose hour and weekday fit too, from the ordinary one on; within eight days of it, or of the earliest. */
function timeOf(domains: Domains, ordinaryMs: number): number | null {
  const time = domains.get('time')
  const [hours, days] = [domains.get('hour'), domains.get('weekday')]
  const begin = time === undefined ? ordinaryMs : Math.min(Math.max(ordinaryMs, time.least), time.most)
  const fits = (domain: Domain | undefined, value: number): boolean =>
    domain === undefined || (value >= domain.least && value <= domain.most && !domain.isNot.has(value))
  for (const direction of [1, -1]) {
    for (let step = 0; step < hoursLooked; step += 1) {
      const at = begin + direction * step * hourMs
      // oxlint-disable-next-line no-restricted-globals -- a calendar for a time that was passed in; reads no clock
      const date = new Date(at)
      const weekday = date.getUTCDay() === 0 ? 7 : date.getUTCDay()
      if (fits(time, at) && fits(hours, date.getUTCHours()) && fits(days, weekday)) return at
    }
  }
  return null
}
