import type { Catalogue, EntryKind, Gateway } from '../../gateway/index.ts'
import { digestJson, isJsonObject, type Caller, type Digest, type JsonObject } from '../../kernel/index.ts'
import type { HttpConfig } from '../config.ts'
import type { McpRequest } from './mcp-request.ts'
import { metaKeys } from './protocol-version.ts'
import type { Message } from './read-message.ts'
import { sendRpcError, type ProtocolRefusal } from './refuse-message.ts'
import type { Reply } from './reply.ts'
import type { ServerInfo } from './server-facts.ts'

/** A `subscriptions/listen` request. */
export interface ListenRequest extends McpRequest {
  readonly message: Extract<Message, { kind: 'request' }>
  readonly reply: Reply
  readonly mayStream: boolean
}

/** Streams of change notifications (MCP 2026-07-28 `subscriptions/listen`). */
export interface Subscriptions {
  listen(request: ListenRequest): void
  /** Ends every stream that matches, with its result. */
  closeWhere(matches: (caller: Caller, namespace: string) => boolean): void
  /** Ends every stream with its result. */
  close(): void
}

const lists = {
  toolsListChanged: { method: 'notifications/tools/list_changed', kinds: ['tool'] },
  promptsListChanged: { method: 'notifications/prompts/list_changed', kinds: ['prompt'] },
  resourcesListChanged: { method: 'notifications/resources/list_changed', kinds: ['resource', 'resource-template'] },
} as const satisfies Record<string, { method: string; kinds: readonly EntryKind[] }>

type ListName = keyof typeof lists

/**
 * Keeps the open streams. A change is told only to those whose own list it changed, so that nobody learns of tools
 * that are not theirs. Lists are looked at again when the catalogue changes and with each keep-alive (a change of
 * policy shows then), always after the credential and the entry to the namespace were checked again: a stream whose
 * caller lost them ends, and so does one whose reader is too slow.
 */
export function createSubscriptions(options: {
  readonly gateway: Gateway
  readonly catalogue: Pick<Catalogue, 'onChange'>
  readonly config: HttpConfig
  readonly serverInfo: ServerInfo
}): Subscriptions {
  const { gateway, catalogue, config, serverInfo } = options
  /** What ends each open stream, with whose it is. */
  const open = new Map<() => void, { readonly caller: Caller; readonly namespace: string }>()
  const digests = new WeakMap<readonly JsonObject[], Digest>()

  function digestOf(list: readonly JsonObject[]): Digest {
    // The gateway gives the same array as long as nothing changed, so that a tick over many streams costs little.
    const digest = digests.get(list) ?? digestJson(list)
    digests.set(list, digest)
    return digest
  }

  const lookAt = (caller: Caller, namespace: string, name: ListName): string =>
    lists[name].kinds.map((kind) => digestOf(gateway.list(caller, namespace, kind))).join()

  function refusalOf(request: ListenRequest): ProtocolRefusal | null {
    const refusal = (status: number, code: number, message: string): ProtocolRefusal => ({
      status,
      code,
      message,
      data: null,
    })
    if (!isJsonObject(request.message.params.notifications)) {
      return refusal(400, -32602, 'params.notifications must be an object that names what to listen for.')
    }
    if (!request.mayStream)
      return refusal(406, -32600, 'subscriptions/listen needs a client that accepts text/event-stream.')
    const credential = request.caller.authentication.credentialId
    const ofCredential = [...open.values()].filter(
      ({ caller }) => caller.authentication.credentialId === credential,
    ).length
    if (open.size < config.maxSubscriptions && ofCredential < config.maxSubscriptionsPerCredential) return null
    return refusal(429, -32603, 'Too many subscriptions are open. Close one first.')
  }

  function listen(request: ListenRequest): void {
    const { message, reply, namespace, caller, response } = request
    const refusal = refusalOf(request)
    if (refusal !== null) return sendRpcError(response, message.id, refusal)
    const wanted = isJsonObject(message.params.notifications) ? message.params.notifications : {}
    const names = (Object.keys(lists) as ListName[]).filter((name) => wanted[name] === true)
    const seen = new Map(names.map((name) => [name, lookAt(caller, namespace, name)]))

    const send = (method: string, params: JsonObject): boolean => {
      const stamped = { ...params, _meta: { [metaKeys.subscriptionId]: message.id } }
      return reply.send({ jsonrpc: '2.0', method, params: stamped }, false)
    }
    const end = (): void => {
      stopListening()
      clearInterval(tick)
      open.delete(end)
      const meta = { [metaKeys.subscriptionId]: message.id, [metaKeys.serverInfo]: { ...serverInfo } }
      reply.finish({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', _meta: meta } })
    }
    const look = async (): Promise<void> => {
      const now = await request.authenticateAgain()
      if (now === null || !gateway.mayEnter(now, namespace)) return end()
      for (const name of reply.isOver ? [] : names) {
        const digest = lookAt(now, namespace, name)
        if (digest === seen.get(name)) continue
        seen.set(name, digest)
        if (!send(lists[name].method, {})) end()
      }
    }
    // A failure to look ends the stream: the client then lists anew and sees what it may.
    const lookOrEnd = (): void => void look().catch(end)
    const stopListening = catalogue.onChange((where) => {
      if (where === namespace) lookOrEnd()
    })
    const tick = setInterval(lookOrEnd, config.sseKeepAliveMs).unref()
    open.set(end, { caller, namespace })
    response.once('close', end)

    send('notifications/subscriptions/acknowledged', {
      notifications: Object.fromEntries(names.map((name) => [name, true])),
    })
    // Also where the client left before: `close` has been then, and comes no more.
    if (names.length === 0 || response.closed) end()
  }

  return {
    listen,
    closeWhere(matches) {
      for (const [end, { caller, namespace }] of open) if (matches(caller, namespace)) end()
    },
    close: () => {
      for (const end of open.keys()) end()
    },
  }
}
