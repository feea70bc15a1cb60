import { z } from 'zod'

const count = (most: number) => z.number().int().min(1).max(most)

/** How much one caller may ask for, and what happens to those who present bad credentials. */
export const limitsConfigSchema = z.strictObject({
  requestsPerMinute: count(100_000_000)
    .default(60_000)
    .describe(
      'Requests of one address in a minute, before its credential is looked at. Agents behind one router or proxy share it. IPv6 addresses count by their /64.',
    ),
  tokenRequestsPerMinute: count(1_000_000)
    .default(600)
    .describe('The same for the endpoints of the authorization server alone.'),
  signInRequestsPerMinute: count(1_000_000).default(300).describe('The same for the pages that people sign in on.'),
  failuresPerMinute: count(100_000)
    .default(20)
    .describe(
      'Bad credentials that an address may present in a minute. With more it is slowed: for a time that doubles each time, at most maxSlowSeconds, only looksPerSecond of its unknown credentials are looked at and the others are answered 429. Credentials of that address that were good in the last hour are not slowed.',
    ),
  looksPerSecond: count(100_000)
    .default(10)
    .describe(
      'Unknown credentials of a slowed address that are still looked at in a second, so that a good one gets in.',
    ),
  maxSlowSeconds: count(86_400).default(300).describe('Seconds that an address is slowed for at most.'),
  keyFailuresPerMinute: count(1_000_000)
    .default(100)
    .describe(
      'Wrong secrets for one API key in a minute, from all addresses together, after which wrong ones are answered 429. The right one is always taken: nobody can lock a key that is not theirs.',
    ),
  maxAddresses: count(10_000_000)
    .default(50_000)
    .describe(
      'Addresses, agents and keys that each of these counters keeps. Beyond that the one counted longest ago is forgotten. About 400 bytes each.',
    ),
  agentRequestsPerMinute: count(100_000_000)
    .default(12_000)
    .describe('Requests of one agent to its namespace in a minute, with all its credentials together.'),
  namespaceRequestsPerMinute: count(100_000_000)
    .default(60_000)
    .describe('The same for all agents of a namespace together.'),
  managementRequestsPerMinute: count(100_000_000)
    .default(3_000)
    .describe('Requests of one user or agent to the management API in a minute.'),
  agentConcurrentCalls: count(10_000)
    .default(128)
    .describe('Calls of one agent under way at once. Calls that a function makes in turn do not count.'),
  namespaceConcurrentCalls: count(10_000).default(192).describe('The same for all agents of a namespace together.'),
  agentCallsPerDay: count(1_000_000_000_000)
    .default(1_000_000)
    .describe('Calls of one agent in a day (UTC). Kept over a restart; a crash forgets at most the last five seconds.'),
  namespaceCallsPerDay: count(1_000_000_000_000)
    .default(5_000_000)
    .describe('The same for all agents of a namespace together.'),
  agentBytesPerDay: count(Number.MAX_SAFE_INTEGER)
    .default(20 * 1024 ** 3)
    .describe('Bytes of arguments in the calls of one agent in a day (UTC). The call that goes over it still runs.'),
  namespaceBytesPerDay: count(Number.MAX_SAFE_INTEGER)
    .default(100 * 1024 ** 3)
    .describe('The same for all agents of a namespace together.'),
})

/** Limits, validated. */
export type LimitsConfig = z.output<typeof limitsConfigSchema>
