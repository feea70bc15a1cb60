import type { Caller, Clock } from '../../kernel/index.ts'
import { addressKey } from './address-key.ts'
import type { LimitsConfig } from './config.ts'
import { CountedWindow } from './counted-window.ts'
import { createFailedAttempts } from './failed-attempts.ts'
import { overLimit, withinLimits, type LimitVerdict } from './limit-verdict.ts'

/** Which part of the server a request is for. Each has a budget of its own. */
export type LimitedDoor = 'mcp' | 'management' | 'token' | 'sign-in' | 'other'

/** Limits at the door. All counts are in the memory of this process. */
export interface DoorLimits {
  /** Before a credential is looked at. `credential` is the whole `Authorization` value, `null` where there is none. */
  arrive(door: LimitedDoor, address: string, credential: string | null): Promise<LimitVerdict>
  /** After a credential was found bad. A refusal says that the answer is to be 429. */
  failed(address: string, credential: string | null): Promise<LimitVerdict>
  /** After a credential was found good: whether its principal may ask for more. */
  admit(door: LimitedDoor, address: string, credential: string | null, caller: Caller): Promise<LimitVerdict>
}

/** What an address may ask of a door, beside what it may ask in all. */
type AddressBudgets = Readonly<Partial<Record<LimitedDoor, { readonly window: CountedWindow; readonly what: string }>>>

/** Counts requests by address, principal and namespace. What each costs: two or three counts in memory. */
export function createDoorLimits(config: LimitsConfig, clock: Clock): DoorLimits {
  const { maxAddresses: maxKeys } = config
  const minute = (points: number): CountedWindow => new CountedWindow({ points, seconds: 60, maxKeys })
  const attempts = createFailedAttempts(config, clock)
  const perAddress = minute(config.requestsPerMinute)
  const budgets: AddressBudgets = {
    token: {
      window: minute(config.tokenRequestsPerMinute),
      what: `${config.tokenRequestsPerMinute} token requests a minute from one address`,
    },
    'sign-in': {
      window: minute(config.signInRequestsPerMinute),
      what: `${config.signInRequestsPerMinute} sign-in requests a minute from one address`,
    },
  }
  const perAgent = minute(config.agentRequestsPerMinute)
  const perNamespace = minute(config.namespaceRequestsPerMinute)
  const perManager = minute(config.managementRequestsPerMinute)

  const ofAddress = `${config.requestsPerMinute} requests a minute from one address`
  const ofManager = `${config.managementRequestsPerMinute} management requests a minute`
  const ofOneAgent = `${config.agentRequestsPerMinute} requests a minute of one agent`
  const ofOneNamespace = `${config.namespaceRequestsPerMinute} requests a minute in one namespace`

  const take = async (window: CountedWindow, key: string, what: string): Promise<LimitVerdict> => {
    const { isOver, endsInMs } = await window.count(key)
    return isOver ? overLimit(`more than ${what}`, endsInMs) : withinLimits
  }

  return {
    async arrive(door, address, credential) {
      const key = addressKey(address)
      const inAll = await take(perAddress, key, ofAddress)
      if (!inAll.ok) return inAll
      const budget = budgets[door]
      if (budget !== undefined) {
        const ofDoor = await take(budget.window, key, budget.what)
        if (!ofDoor.ok) return ofDoor
      }
      return attempts.mayTry(key, credential)
    },
    failed: (address, credential) => attempts.failed(addressKey(address), keyIdOf(credential)),
    async admit(door, address, credential, { principal }) {
      if (credential !== null) attempts.succeeded(addressKey(address), credential)
      if (door === 'management') return take(perManager, principal.id, ofManager)
      if (door !== 'mcp') return withinLimits
      const ofAgent = await take(perAgent, `${principal.type} ${principal.id}`, ofOneAgent)
      if (!ofAgent.ok || principal.namespace === null) return ofAgent
      return take(perNamespace, principal.namespace, ofOneNamespace)
    },
  }
}

/** The public id in what has the form of an API key. */
function keyIdOf(credential: string | null): string | null {
  return /\bmcpw_([a-z0-9]{12})_/.exec(credential ?? '')?.[1] ?? null
}
