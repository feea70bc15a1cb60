import ipaddr from 'ipaddr.js'
import type { CedarValueJson } from './cedar.ts'
import type { CallUsage, PolicyRequest, Requester, UsageFigures } from './decision.ts'

/** The circumstances of a request as Cedar values, or the sentence that says why they cannot be. */
export type EncodedCircumstances =
  | { readonly ok: true; readonly value: { readonly [name: string]: CedarValueJson } }
  | { readonly ok: false; readonly fault: string }

/** The last millisecond that Cedar's datetime text form can carry (year 9999). */
const lastTimeMs = 253_402_300_799_999

const noFigures: UsageFigures = { callsMinute: 0, callsDay: 0, bytesOutDay: 0, spendDay: 0, running: 0 }
const nothingUsed: CallUsage = { agent: noFigures, tool: noFigures }

/**
 * The request's context besides its arguments: `authn`, `door`, `operation`, `labels`, `approved`, `usage`, `time` (datetime), `hour` (0-23)
 * and `weekday` (1 Monday to 7 Sunday), both UTC, and `address` (ipaddr). An IPv4 address mapped into IPv6 is that
 * IPv4 address; an IPv6 zone is dropped; no address at all (a caller that came by no network) is `::`, which is in no
 * network that a policy would name.
 */
export function encodeCircumstances(context: PolicyRequest['context']): EncodedCircumstances {
  const { authentication, door, operation, labels, timeMs } = context
  if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs > lastTimeMs)
    return { ok: false, fault: 'The time of the request is out of range.' }
  const { method, senderConstrained, binding = 'none', issuer = '', client = '', actors = [] } = authentication
  const { requester } = context
  const whose = requester === undefined ? [] : [requester.id, requester.owner]
  const texts = [method, binding, issuer, client, ...actors, door, operation, ...labels, ...whose]
  if (!texts.every((text) => typeof text === 'string' && text.isWellFormed())) {
    return { ok: false, fault: 'The circumstances of the request hold what is not Unicode text.' }
  }
  const ageSeconds = authentication.ageSeconds ?? 0
  if (!Number.isSafeInteger(ageSeconds)) return { ok: false, fault: 'The age of the sign-in is out of range.' }
  const { approved = false, usage = nothingUsed } = context
  const used = { agent: encodeFigures(usage.agent), tool: encodeFigures(usage.tool) }
  if (![...Object.values(used.agent), ...Object.values(used.tool)].every((figure) => Number.isSafeInteger(figure)))
    return { ok: false, fault: 'What the caller has used is out of range.' }
  const address = plainAddress(context.address)
  if (address === null) return { ok: false, fault: 'The address of the caller is not an IP address.' }
  // The members are in the order of RFC 8785, records within records too: so they are written without sorting.
  // oxlint-disable-next-line no-restricted-globals -- a calendar for a time that was passed in; reads no clock
  const time = new Date(timeMs)
  const value = {
    address: { __extn: { arg: address, fn: 'ip' } },
    approved,
    authn: {
      actors: [...new Set(actors)].sort(),
      age_seconds: ageSeconds,
      binding,
      client,
      issuer,
      method,
      sender_constrained: senderConstrained,
    },
    door,
    hour: time.getUTCHours(),
    labels: [...new Set(labels)].sort(),
    operation,
    ...(requester === undefined ? {} : { requester: encodeRequester(requester) }),
    time: { __extn: { arg: time.toISOString(), fn: 'datetime' } },
    usage: used,
    weekday: time.getUTCDay() === 0 ? 7 : time.getUTCDay(),
  }
  return { ok: true, value }
}

function encodeRequester({ id, owner, own, self }: Requester) {
  return { id, own, owner, self }
}

function encodeFigures({ callsMinute, callsDay, bytesOutDay, spendDay, running }: UsageFigures) {
  return {
    bytes_out_day: bytesOutDay,
    calls_day: callsDay,
    calls_minute: callsMinute,
    running,
    spend_day: spendDay,
  }
}

/** The address in the form that Cedar reads; `null` if it is none. Never a range. */
function plainAddress(address: string): string | null {
  if (address === '') return '::'
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return address
  const plain = address.replace(/%[A-Za-z0-9._-]{1,32}$/u, '')
  if (!ipaddr.IPv6.isValid(plain)) return null
  const parsed = ipaddr.IPv6.parse(plain)
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toString()
}
