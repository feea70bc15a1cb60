import { canonicalJson, createTurns, McpworksError, uuidv7, type Clock, type JsonObject } from '../kernel/index.ts'
import { statusAt, type Approval, type WantedCall } from './approval.ts'
import type { ApprovalStore } from './approval-store.ts'
import type { ApprovalEvent, Approvals, Sought, Verdict } from './approvals.ts'
import { callBinding } from './call-binding.ts'
import type { ApprovalsConfig } from './config.ts'
import { shownArguments } from './shown-arguments.ts'

/** What approvals stand on. */
export interface ApprovalPorts {
  readonly store: ApprovalStore
  /** Makes a record durable. */
  readonly record: (event: ApprovalEvent) => Promise<void>
  /** The user who answers for a principal; `null` where there is none. */
  readonly ownerOf: (principalId: string) => string | null
  readonly keys: {
    derive(purpose: string): Uint8Array
    seal(purpose: string, plain: Uint8Array): Uint8Array
    open(purpose: string, sealed: Uint8Array): Uint8Array
  }
  readonly clock: Clock
  readonly config: ApprovalsConfig
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** How many requests a list shows. */
const listed = 500

/** Calls that wait for a person, over the store. Nothing is kept in memory: what a crash leaves is what the store has. */
export function createApprovals(ports: ApprovalPorts): Approvals {
  const { store, clock, config, keys } = ports
  const bindingKey = keys.derive('approval binding')
  // Counting and inserting must not come between each other, or many at once get past a limit.
  const inTurn = createTurns()
  let sweptAtMs = 0

  async function sweep(nowMs: number): Promise<void> {
    if (nowMs - sweptAtMs < hourMs) return
    sweptAtMs = nowMs
    await store.sweep(nowMs - config.keepDays * dayMs)
  }

  async function spend(call: WantedCall, binding: string): Promise<Sought | null> {
    const spent = await store.spend(call.namespace, binding, call.call, clock.nowMs())
    if (spent === null) return null
    if (spent.decidedBy === null || spent.decidedAtMs === null)
      throw new McpworksError('storage_unavailable', { detail: 'an approval that nobody gave' })
    // Who approved was told of these rules. What another one has come to ask for since, nobody has answered.
    if (!call.rules.every((rule) => spent.rules.includes(rule))) return null
    return { kind: 'granted', id: spent.id, by: spent.decidedBy, atMs: spent.decidedAtMs }
  }

  async function ask(call: WantedCall, binding: string): Promise<Sought> {
    const { namespace, requester } = call
    const nowMs = clock.nowMs()
    const open = await store.findOpen(namespace, binding, nowMs)
    if (open !== null) {
      const { id, expiresAtMs, comment } = open
      if (open.status === 'denied') return { kind: 'denied', id, expiresAtMs, comment }
      // Approved a moment ago: another call with the same binding may be before this one.
      const granted = open.status === 'approved' ? await spend(call, binding) : null
      return granted ?? { kind: 'pending', id, expiresAtMs }
    }
    const shown = canonicalJson(shownArguments(call.arguments, call.inputSchema))
    if (Math.max(Buffer.byteLength(shown), Buffer.byteLength(canonicalJson(call.arguments))) > config.maxArgumentBytes)
      return {
        kind: 'refused',
        sentence: `The call is too large to be shown to a person (approvals.maxArgumentBytes).`,
      }
    const counts = await store.count(namespace, requester.id, nowMs - hourMs, nowMs)
    if (counts.pendingOfRequester >= config.maxPendingPerAgent || counts.madeSince >= config.maxPerAgentPerHour)
      return {
        kind: 'refused',
        sentence: 'Nobody was asked: too many of your calls wait for a person, or asked lately.',
      }
    if (counts.pendingInNamespace >= config.maxPendingPerNamespace)
      return { kind: 'refused', sentence: 'Nobody was asked: too many calls wait for a person.' }

    const id = uuidv7(nowMs)
    const expiresAtMs = nowMs + config.requestSeconds * 1000
    await ports.record({
      type: 'requested',
      namespace,
      approval: id,
      principal: requester.id,
      call: call.call,
      facts: { ...factsOf(call), expires: new Date(expiresAtMs).toISOString() },
    })
    await store.expire(nowMs)
    const { arguments: _arguments, inputSchema: _schema, ...wanted } = call
    const inserted = await store.insert({
      ...wanted,
      id,
      binding,
      status: 'pending',
      sealedArguments: keys.seal(purposeOf(namespace, id), Buffer.from(shown)),
      requestedAtMs: nowMs,
      expiresAtMs,
      decidedBy: null,
      decidedAtMs: null,
      comment: '',
      spentAtMs: null,
      spentByCall: null,
    })
    if (!inserted) throw new McpworksError('storage_unavailable', { detail: 'an open request that was not found' })
    await sweep(nowMs)
    return { kind: 'pending', id, expiresAtMs }
  }

  async function mustFind(namespace: string, id: string): Promise<Approval> {
    const found = await store.find(namespace, id)
    if (found !== null) return found
    throw new McpworksError('unknown_object', {
      message: `There is no request ${id} in ${namespace}. "mcpworks approval list" shows those that wait.`,
    })
  }

  async function decide(namespace: string, id: string, given: Verdict): Promise<Approval> {
    const approval = await mustFind(namespace, id)
    const { requester, tool } = approval
    if (given.deciders.some((one) => one === requester.id || requester.actors.includes(one)))
      throw new McpworksError('denied', { message: 'Nobody decides on their own call.' })
    const nowMs = clock.nowMs()
    const status = statusAt(approval, nowMs)
    if (status !== 'pending') throw decidedAlready(approval, status)
    const approved = given.verdict === 'approved'
    const expiresAtMs = nowMs + (approved ? config.useSeconds : config.deniedSeconds) * 1000
    const { by, comment } = given
    if (given.link !== null && !(await store.useLink(given.link, nowMs)))
      throw new McpworksError('changed_meanwhile', { message: 'The link was used already, or has expired.' })
    await ports.record({
      type: given.verdict,
      namespace,
      approval: id,
      principal: given.by,
      call: given.call,
      facts: {
        method: given.method,
        credential: given.credentialId,
        address: given.address,
        comment,
        requester: requester.id,
        tool,
        asked_by_call: approval.call,
        expires: new Date(expiresAtMs).toISOString(),
      },
    })
    const counts = await store.decide(namespace, id, { status: given.verdict, by, atMs: nowMs, expiresAtMs, comment })
    const after = await mustFind(namespace, id)
    if (!counts) throw decidedAlready(after, statusAt(after, nowMs))
    return after
  }

  return {
    async seek(call) {
      const binding = callBinding(bindingKey, call)
      return (await spend(call, binding)) ?? inTurn(`asking in ${call.namespace}`, () => ask(call, binding))
    },
    async about(namespace, id) {
      const found = await store.find(namespace, id)
      if (found === null) return null
      const { tool, service, requester } = found
      return {
        id,
        tool,
        service,
        requesterId: requester.id,
        ownerId: ports.ownerOf(requester.id),
        chain: [requester.id, ...requester.actors],
      }
    },
    async find(namespace, id) {
      const approval = await store.find(namespace, id)
      if (approval === null) return null
      const { sealedArguments } = approval
      const shown = sealedArguments === null ? null : keys.open(purposeOf(namespace, id), sealedArguments)
      return {
        approval: { ...approval, status: statusAt(approval, clock.nowMs()) },
        arguments: shown === null ? null : (JSON.parse(Buffer.from(shown).toString('utf8')) as JsonObject),
      }
    },
    async list(namespace, openOnly) {
      const nowMs = clock.nowMs()
      const all = await store.list(namespace, { openOnly, nowMs, limit: listed })
      return all.map((approval) => ({ ...approval, status: statusAt(approval, nowMs) }))
    },
    decide: (namespace, id, verdict) => inTurn(`deciding ${namespace} ${id}`, () => decide(namespace, id, verdict)),
  }
}

/** What the record of a request says of the call. Arguments are not in it: the record of the decision has those. */
function factsOf({ requester, door, tool, service, definitionHash, codeHash, rules }: WantedCall): JsonObject {
  return {
    actors: [...requester.actors],
    door,
    tool,
    service,
    definition_hash: definitionHash,
    code_hash: codeHash,
    rules: [...rules],
  }
}

function purposeOf(namespace: string, id: string): string {
  return `approval arguments ${namespace} ${id}`
}

function decidedAlready({ id, decidedBy }: Approval, status: Approval['status']): McpworksError {
  const what =
    status === 'expired'
      ? 'has expired; the call has to be made again'
      : status === 'spent'
        ? `was approved by ${decidedBy ?? 'somebody'} and used`
        : `was ${status} by ${decidedBy ?? 'somebody'} already`
  return new McpworksError('changed_meanwhile', { message: `The request ${id} ${what}.` })
}
