import type { IdentityRegistry } from '../../auth/index.ts'
import type { Catalogue, CatalogueEntry, SchemaChecker } from '../../gateway/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import {
  ordinaryArguments,
  type AccessAnswer,
  type PolicyEngine,
  type PolicyRequest,
  type PolicySource,
} from '../../policy/index.ts'
import type { HostedState } from '../hosted-state.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'
import { knownAgents } from './known-agents.ts'
import { policySources } from './policy-sources.ts'

/** What looking through policies stands on. */
export interface AnalysisHandlerPorts {
  readonly policy: PolicyEngine
  readonly catalogue: Catalogue
  readonly registry: IdentityRegistry
  readonly hosted: HostedState
  readonly schemas: SchemaChecker
  readonly clock: Clock
}

type Files = readonly {
  readonly path: string
  readonly text?: string | undefined
  readonly base64?: string | undefined
}[]

/** Looking through policies, those in force or others. Changes nothing. */
export function analysisHandlers(ports: AnalysisHandlerPorts): Pick<Handlers, 'policy.analyze' | 'policy.can'> {
  const { policy, catalogue, registry, hosted, schemas, clock } = ports

  /** What `ask` learns under the files, or under what is in force. */
  function under<Answer>(
    namespace: string,
    files: Files | null,
    ask: (sources: readonly PolicySource[]) => Answer,
  ): Answer {
    if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
    if (files === null) return ask(hosted.policySources(namespace))
    const given = policySources(namespace, files.map(sourceOf))
    if (!given.ok) throw new McpworksError('policy_invalid', { data: { problems: given.problems } })
    const checked = policy.check(given.sources, hosted.vocabulary(namespace))
    if (!checked.ok) throw new McpworksError('policy_invalid', { data: { problems: checked.problems } })
    const change = { functions: hosted.functions(namespace), policies: given.sources }
    return hosted.under(namespace, change, () => ask(given.sources))
  }

  const activeAgents = (namespace: string): PolicyRequest['principal'][] =>
    registry
      .listAgents(namespace)
      .filter(({ revokedAtMs }) => revokedAtMs === null)
      .map(({ type, id, groups }) => ({ type, id, namespace, groups }))

  return {
    async 'policy.analyze'({ namespace, files }) {
      return under(namespace, files, (sources) => {
        const vocabulary = { ...hosted.vocabulary(namespace), ...knownAgents(registry, namespace) }
        const { problems } = policy.check(sources, vocabulary)
        return asJson({ ...policy.analyze(namespace, activeAgents(namespace)), problems })
      })
    },
    async 'policy.can'({ namespace, agent, tool, files }) {
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const entry = catalogue.resolve(namespace, 'tool', tool)
      if (entry === null)
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no tool ${tool}.` })
      const principal = activeAgents(namespace).find(({ id }) => id === `${namespace}/${agent}`)
      if (principal === undefined)
        throw new McpworksError('unknown_object', { message: `There is no agent ${namespace}/${agent}.` })
      const answer = under(namespace, files, () => policy.canCall({ ...questionOf(entry, clock, schemas), principal }))
      return asJson({ ...summaryOf(answer), agent: principal.id, tool })
    },
  }
}

function questionOf(
  { name, inputSchema: schema }: CatalogueEntry,
  clock: Clock,
  schemas: SchemaChecker,
): Omit<Parameters<PolicyEngine['canCall']>[0], 'principal'> {
  const inputSchema = schema ?? {}
  return {
    tool: name,
    inputSchema,
    arguments: ordinaryArguments(inputSchema),
    context: {
      authentication: { method: 'api-key', senderConstrained: false },
      door: 'tool',
      operation: '',
      labels: [],
      timeMs: clock.nowMs(),
      address: '127.0.0.1',
    },
    fits: (args) => schemas.check(inputSchema, args).length === 0,
  }
}

/** The answer; a call that is allowed is told as `policy test` takes it, so that it can be kept as a case. */
function summaryOf(answer: AccessAnswer): object {
  if (answer.answer !== 'yes') return answer
  const { request, decision, ...rest } = answer
  const { context } = request
  const { usage } = context
  const figures = (of: NonNullable<typeof usage>['agent']): JsonObject => ({
    calls_minute: of.callsMinute,
    calls_day: of.callsDay,
    bytes_out_day: of.bytesOutDay,
    spend_day: of.spendDay,
    running: of.running,
  })
  return {
    ...rest,
    case: {
      args: request.arguments,
      at: new Date(context.timeMs).toISOString(),
      ...(context.address === '127.0.0.1' ? {} : { address: context.address }),
      ...(context.door === 'tool' ? {} : { door: context.door }),
      ...(context.authentication.senderConstrained ? { senderConstrained: true } : {}),
      ...(context.labels.length === 0 ? {} : { labels: context.labels }),
      ...(context.approved === true ? { approved: true } : {}),
      ...(usage === undefined ? {} : { usage: { agent: figures(usage.agent), tool: figures(usage.tool) } }),
    },
    authentication: context.authentication,
    rules: decision.determining.map(({ id }) => id),
  }
}

function sourceOf(file: Files[number]): PolicySource {
  return { file: file.path, text: file.text ?? Buffer.from(file.base64 ?? '', 'base64').toString('utf8') }
}

function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}
