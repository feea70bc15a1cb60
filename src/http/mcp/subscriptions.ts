import type { Catalogue, EntryKind, Gateway } from '../../gateway/index.ts'
import { digestJson, isJsonObject, type Digest, type JsonObject } from '../../kernel/index.ts'
import type { HttpConfig } from '../config.ts'
import { sendJson } from '../respond.ts'
import type { McpRequest } from './mcp-request.ts'
import { metaKeys } from './protocol-version.ts'
import type { Message } from './read-message.ts'
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
  /** Ends every stream with its result. */
  close(): void
  readonly size: number
}

const lists = {
  toolsListChanged: { method: 'notifications/tools/list_changed', kinds: ['tool'] },
  promptsListChanged: { method: 'notifications/prompts/list_changed', kinds: ['prompt'] },
  resourcesListChanged: { method: 'notifications/resources/list_changed', kinds: ['resource', 'resource-template'] },
} as const satisfies Record<string, { method: string; kinds: readonly EntryKind[] }>

type ListName = keyof typeof lists

/**
 * Keeps the open streams. A change is told only to those whose own list it changed, so that nobody learns of tools
 * that are not theirs. Credential and entry to the namespace are checked again before each notification and with each
 * keep-alive; a stream whose caller lost them ends.
 */
export function createSubscriptions(options: {
  readonly gateway: Gateway
  readonly catalogue: Pick<Catalogue, 'onChange'>
  readonly config: HttpConfig
  readonly serverInfo: ServerInfo
}): Subscriptions {
  const { gateway, catalogue, config, serverInfo } = options
  const open = new Map<() => void, string>()

  const seenBy = (request: ListenRequest, name: ListName): Digest =>
    digestJson(lists[name].kinds.map((kind) => gateway.list(request.caller, request.namespace, kind)))

  const listen = (request: ListenRequest): void => {
    const { message, reply, namespace, caller } = request
    const fail = (status: number, code: number, text: string): void => {
      sendJson(request.response, status, { jsonrpc: '2.0', id: message.id, error: { code, message: text } })
    }
    const wanted = message.params.notifications
    if (!isJsonObject(wanted))
      return fail(400, -32602, 'params.notifications must be an object that names what to listen for.')
    if (!request.mayStream)
      return fail(406, -32600, 'subscriptions/listen needs a client that accepts text/event-stream.')
    const credential = caller.authentication.credentialId
    const ofCredential = [...open.values()].filter((id) => id === credential).length
    if (open.size >= config.maxSubscriptions || ofCredential >= config.maxSubscriptionsPerCredential) {
      return fail(429, -32603, 'Too many subscriptions are open. Close one first.')
    }
    const names = (Object.keys(lists) as ListName[]).filter((name) => wanted[name] === true)
    const seen = new Map(names.map((name) => [name, seenBy(request, name)]))
    const notify = (method: string, params: JsonObject): void => {
      const stamped = { ...params, _meta: { [metaKeys.subscriptionId]: message.id } }
      reply.send({ jsonrpc: '2.0', method, params: stamped }, true)
    }
    let stopListening = (): void => {}
    const recheck = setInterval(() => void mayStay().catch(end), config.sseKeepAliveMs).unref()
    const end = (): void => {
      stopListening()
      clearInterval(recheck)
      open.delete(end)
      const meta = { [metaKeys.subscriptionId]: message.id, [metaKeys.serverInfo]: { ...serverInfo } }
      reply.finish({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', _meta: meta } })
    }
    const mayStay = async (): Promise<boolean> => {
      const stays = (await request.stillValid()) && gateway.mayEnter(caller, namespace)
      if (!stays) end()
      return stays
    }
    const changed = async (kind: EntryKind): Promise<void> => {
      if (!(await mayStay()) || reply.isOver) return
      for (const name of names) {
        if (!(lists[name].kinds as readonly EntryKind[]).includes(kind)) continue
        const now = seenBy(request, name)
        if (now === seen.get(name)) continue
        seen.set(name, now)
        notify(lists[name].method, {})
      }
    }
    notify('notifications/subscriptions/acknowledged', {
      notifications: Object.fromEntries(names.map((name) => [name, true])),
    })
    if (names.length === 0) return end()
    open.set(end, credential)
    stopListening = catalogue.onChange((where, kind) => {
      // A failure to look again ends the stream: the client then lists anew and sees what it may.
      if (where === namespace) changed(kind).catch(end)
    })
    request.response.once('close', end)
  }

  return {
    listen,
    close: () => {
      for (const end of open.keys()) end()
    },
    get size() {
      return open.size
    },
  }
}
