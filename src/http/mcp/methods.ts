import type { Effect, Gateway, GatewayAnswer, Resume } from '../../gateway/index.ts'
import { errorTable, isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { HttpConfig } from '../config.ts'
import { answerError, callMeta, deniedResult, invalidResult, toolResult } from './answer.ts'
import { missingCapabilities } from './client-capability.ts'
import { RpcError, type Exchange } from './exchange.ts'
import { listPage } from './list-page.ts'
import { logLevels } from './log-level.ts'
import { modernVersion } from './protocol-version.ts'
import type { RequestStateSealer, StateBinding } from './request-state.ts'
import { serverCapabilities } from './server-facts.ts'

/** What methods work with. */
export interface MethodServices {
  readonly gateway: Gateway
  readonly sealer: RequestStateSealer
  readonly config: HttpConfig
}

/** An MCP method: params as parsed from the body, checked here as far as they are used. @throws RpcError */
export type Method = (
  params: JsonObject,
  exchange: Exchange,
  services: MethodServices,
) => Promise<JsonObject> | JsonObject

/** Methods of every revision served. */
const sharedMethods: Readonly<Record<string, Method>> = {
  'tools/list': list('tool', 'tools', 'name'),
  'resources/list': list('resource', 'resources', 'uri'),
  'resources/templates/list': list('resource-template', 'resourceTemplates', 'uriTemplate'),
  'prompts/list': list('prompt', 'prompts', 'name'),
  'tools/call': callTool,
  'resources/read': (params, exchange, services) => readResource(text(params, 'uri'), exchange, services),
  'prompts/get': (params, exchange, services) => {
    const name = text(params, 'name')
    const given = object(params, 'arguments')
    return act(exchange, services, { method: 'prompts/get', params: { name, arguments: given } }, (resume) => {
      return { kind: 'prompt', name, arguments: given, resume }
    })
  },
  'completion/complete': async (params, exchange, services) => {
    const ref = requiredObject(params, 'ref')
    const argument = requiredObject(params, 'argument')
    text(argument, 'name')
    if (typeof argument.value !== 'string') throw new RpcError(-32602, 'params.argument.value must be a string.')
    const context = params.context === undefined ? null : object(params, 'context')
    const answer = await perform(exchange, services, { kind: 'complete', ref, argument, context })
    return plainResult(answer)
  },
}

/** Methods of 2026-07-28. `subscriptions/listen` is a stream of its own. */
export const modernMethods: Readonly<Record<string, Method>> = {
  ...sharedMethods,
  'server/discover': (_params, _exchange, { config }) => ({
    supportedVersions: [modernVersion],
    capabilities: serverCapabilities('modern'),
    ttlMs: config.listTtlMs,
    cacheScope: 'private',
  }),
}

/** Methods of 2025-11-25 and 2025-06-18. `initialize` opens the session and is answered where sessions are. */
export const legacyMethods: Readonly<Record<string, Method>> = {
  ...sharedMethods,
  ping: () => ({}),
  'logging/setLevel': (params, exchange) => {
    const level = text(params, 'level')
    if (!logLevels.includes(level)) throw new RpcError(-32602, `params.level must be one of ${logLevels.join(', ')}.`)
    if (exchange.session !== null) exchange.session.logLevel = level
    return {}
  },
  // Taken, because clients of these revisions send them unasked; not offered, because there is no stream to tell on.
  'resources/subscribe': acknowledgeUri,
  'resources/unsubscribe': acknowledgeUri,
}

function acknowledgeUri(params: JsonObject): JsonObject {
  text(params, 'uri')
  return {}
}

async function callTool(params: JsonObject, exchange: Exchange, services: MethodServices): Promise<JsonObject> {
  const tool = text(params, 'name')
  const given = object(params, 'arguments')
  const resume = openState(exchange, services, { method: 'tools/call', params: { name: tool, arguments: given } })
  const answer = await perform(exchange, services, { kind: 'call', tool, arguments: given, resume })
  switch (answer.status) {
    case 'ok':
      return toolResult(answer)
    case 'denied':
      return deniedResult(answer)
    case 'invalid':
      return invalidResult(answer)
    case 'input-required':
      return inputRequired(answer, exchange, services, {
        method: 'tools/call',
        params: { name: tool, arguments: given },
      })
    default:
      throw answerError(answer)
  }
}

async function readResource(uri: string, exchange: Exchange, services: MethodServices): Promise<JsonObject> {
  const bound = { method: 'resources/read', params: { uri } }
  try {
    const result = await act(exchange, services, bound, (resume) => ({ kind: 'read', uri, resume }))
    // Whatever the backend thinks: what one caller may read is not for a cache that others share.
    return exchange.era === 'legacy' || result.resultType === 'input_required'
      ? result
      : { ...result, cacheScope: 'private' }
  } catch (error) {
    // SEP-2164: the error names the URI. It is the caller's own word, so it tells nothing.
    if (error instanceof RpcError && error.code === -32602)
      throw new RpcError(-32602, error.message, { data: { ...error.data, uri } })
    throw error
  }
}

/** What of a request its state is bound to. */
type Bound = Pick<StateBinding, 'method' | 'params'>

async function act(
  exchange: Exchange,
  services: MethodServices,
  bound: Bound,
  effect: (resume: Resume | null) => Effect,
) {
  const answer = await perform(exchange, services, effect(openState(exchange, services, bound)))
  return answer.status === 'input-required' ? inputRequired(answer, exchange, services, bound) : plainResult(answer)
}

function perform(exchange: Exchange, { gateway }: MethodServices, effect: Effect): Promise<GatewayAnswer> {
  const { caller, namespace, facts, events } = exchange
  return gateway.perform({ caller, namespace, door: 'tool', effect, facts }, events)
}

function plainResult(answer: GatewayAnswer): JsonObject {
  if (answer.status === 'ok') return answer.result
  if (answer.status === 'input-required')
    throw new RpcError(-32603, 'This method cannot ask for input.', { status: 500 })
  throw answerError(answer)
}

function openState(exchange: Exchange, { sealer }: MethodServices, bound: Bound): Resume | null {
  const { inputResponses, requestState } = exchange
  if (requestState === null) return inputResponses === null ? null : { inputResponses, state: null }
  const opened = sealer.open(requestState, bindingOf(exchange, bound))
  if (!opened.ok) throw new RpcError(errorTable.state_invalid.rpc, errorTable.state_invalid.message)
  return { inputResponses: inputResponses ?? {}, state: opened.state }
}

function inputRequired(
  answer: Extract<GatewayAnswer, { status: 'input-required' }>,
  exchange: Exchange,
  { sealer }: MethodServices,
  bound: Bound,
): JsonObject {
  const missing = missingCapabilities(answer.inputRequests, exchange.facts.clientCapabilities)
  if (missing !== null) {
    const text = `This needs capabilities that the client did not declare: ${Object.keys(missing).join(', ')}.`
    // -32021 is of 2026-07-28. Older clients show a tool error to their model, and nothing else.
    if (exchange.era === 'legacy') {
      if (bound.method !== 'tools/call') throw new RpcError(-32603, text, { data: { call: answer.call } })
      return { content: [{ type: 'text', text }], isError: true, _meta: { [callMeta]: answer.call } }
    }
    throw new RpcError(-32021, text, { data: { requiredCapabilities: missing, call: answer.call }, status: 400 })
  }
  return {
    resultType: 'input_required',
    inputRequests: answer.inputRequests,
    ...(answer.state === null ? {} : { requestState: sealer.seal(answer.state, bindingOf(exchange, bound)) }),
    _meta: { [callMeta]: answer.call },
  }
}

function bindingOf({ caller, namespace }: Exchange, bound: Bound): StateBinding {
  return { principal: caller.principal.id, credential: caller.authentication.credentialId, namespace, ...bound }
}

function list(
  kind: 'tool' | 'resource' | 'resource-template' | 'prompt',
  member: string,
  key: 'name' | 'uri' | 'uriTemplate',
): Method {
  return (params, exchange, { gateway, config }) => {
    const entries = gateway.list(exchange.caller, exchange.namespace, kind)
    const page = listPage(entries, key, params.cursor, config.listPageSize)
    const caching = exchange.era === 'modern' ? { ttlMs: config.listTtlMs, cacheScope: 'private' } : {}
    const next = page.nextCursor === null ? {} : { nextCursor: page.nextCursor }
    return { [member]: [...page.entries], ...next, ...caching }
  }
}

function text(params: JsonObject, member: string): string {
  const value = params[member]
  if (typeof value !== 'string' || value.length === 0 || value.length > 8192) {
    throw new RpcError(-32602, `params.${member} must be a string of 1-8192 characters.`)
  }
  return value
}

function object(params: JsonObject, member: string): JsonObject {
  const value = params[member]
  if (value === undefined) return {}
  if (!isJsonObject(value)) throw new RpcError(-32602, `params.${member} must be an object.`)
  return value
}

function requiredObject(params: JsonObject, member: string): JsonObject {
  if (params[member] === undefined) throw new RpcError(-32602, `params.${member} is missing.`)
  return object(params, member)
}
