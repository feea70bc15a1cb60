import type { Hold, RecordKeeper } from '../../audit/index.ts'
import type { IdentityRegistry } from '../../auth/index.ts'
import { McpworksError, uuidv7, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { Sweeper } from '../recording/start-sweeper.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'
import { asJson } from './policy-handlers.ts'

/** What holds and erasures stand on. */
export interface HoldHandlerPorts {
  readonly keeper: RecordKeeper
  readonly sweeper: Pick<Sweeper, 'sweep'>
  readonly registry: Pick<IdentityRegistry, 'listAllAgents'>
  readonly hasNamespace: (namespace: string) => boolean
  readonly clock: Clock
}

/** Legal holds, and the erasure of a principal. Each is a record of its own in the log of the namespace. */
export function holdHandlers({
  keeper,
  sweeper,
  registry,
  hasNamespace,
  clock,
}: HoldHandlerPorts): Pick<Handlers, 'hold.place' | 'hold.list' | 'hold.lift' | 'erasure.erase'> {
  const required = (namespace: string): string => {
    if (!hasNamespace(namespace)) throw unknownNamespace(namespace)
    return namespace
  }
  return {
    async 'hold.place'({ namespace, subject, reason }, { caller }) {
      const placedMs = Math.floor(clock.nowMs())
      const hold: Hold = {
        id: uuidv7(placedMs),
        namespace: required(namespace),
        subject: subject ?? null,
        reason,
        placedBy: caller.principal.id,
        placedMs,
      }
      await keeper.placeHold(hold)
      return { hold: viewOf(hold) }
    },
    async 'hold.list'({ namespace }) {
      return { holds: (await keeper.holds(required(namespace))).map(viewOf) }
    },
    async 'hold.lift'({ namespace, hold, reason }, { caller }) {
      const lifted = await keeper.liftHold({
        namespace: required(namespace),
        id: hold,
        by: caller.principal.id,
        reason,
      })
      if (lifted === null) throw new McpworksError('not_found', { message: 'There is no such hold in this namespace.' })
      return { lifted: viewOf(lifted) }
    },
    async 'erasure.erase'({ subject, confirm, agents }, { caller, call }) {
      if (confirm !== subject)
        throw new McpworksError('invalid_request', {
          message:
            'Nothing was erased: "confirm" must repeat the id of the principal. What is erased cannot be brought back.',
        })
      const owned = agents
        ? registry.listAllAgents().flatMap(({ id, ownerId }) => (ownerId === subject ? [id] : []))
        : []
      const erased: JsonObject[] = []
      const held: JsonObject[] = []
      for (const id of [subject, ...owned]) {
        const result = await keeper.erase({ subject: id, by: caller.principal.id, call })
        for (const hold of result.holds) held.push({ subject: id, ...viewOf(hold) })
        if (result.kind === 'erased')
          erased.push({ subject: id, namespaces: asJson({ list: result.namespaces }).list ?? [] })
      }
      if (erased.length === 0)
        throw new McpworksError('invalid_request', {
          message: `Nothing was erased. In the way: ${held.map(inTheWay).join('; ')}. That is on record there.`,
        })
      // Their keys are gone; what they had sealed follows in steps.
      void sweeper.sweep()
      return { erased, held }
    },
  }
}

function inTheWay({ namespace, hold, placedBy }: JsonObject): string {
  return `a legal hold in ${String(namespace)} (${String(hold)}), placed by ${String(placedBy)}`
}

function viewOf({ id, namespace, subject, reason, placedBy, placedMs }: Hold): JsonObject {
  return { hold: id, namespace, subject, reason, placedBy, placedAt: new Date(placedMs).toISOString() }
}
