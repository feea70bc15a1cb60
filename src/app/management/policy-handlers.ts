import type { IdentityRegistry } from '../../auth/index.ts'
import type { Catalogue } from '../../gateway/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { PolicyEngine, PolicyRequest, PolicySource } from '../../policy/index.ts'
import type { HostedState } from '../hosted-state.ts'
import type { Handlers } from './handler.ts'
import { knownAgents } from './known-agents.ts'
import { policySources } from './policy-sources.ts'
import { testPolicies, type TestedNamespace } from './test-policies.ts'
import { unknownNamespace } from './identity-handlers.ts'

type PolicyHandlers = Pick<Handlers, 'policy.check' | 'policy.test' | 'policy.explain'>

/** What the policy handlers stand on. */
export interface PolicyHandlerPorts {
  readonly policy: PolicyEngine
  readonly catalogue: Catalogue
  readonly registry: IdentityRegistry
  readonly hosted: HostedState
  readonly clock: Clock
}

/** Checking and explaining policies. Neither changes anything. */
export function policyHandlers(ports: PolicyHandlerPorts): PolicyHandlers {
  const { policy, catalogue, registry, hosted, clock } = ports
  return {
    async 'policy.check'({ namespace, files }) {
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const given = files === null ? null : policySources(namespace, files.map(sourceOf))
      if (given?.ok === false) return asJson(given)
      const sources = given?.sources ?? hosted.policySources(namespace)
      const vocabulary = { ...hosted.vocabulary(namespace), ...knownAgents(registry, namespace) }
      const checked = policy.check(sources, vocabulary)
      return asJson({ ...checked, problems: given?.placed(checked.problems) ?? checked.problems, cedar: sources })
    },
    async 'policy.test'({ namespace, files, cases }) {
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const tested = testedNamespace(ports, namespace)
      if (files === null) return asJson({ results: testPolicies(cases, tested, (request) => policy.decide(request)) })
      const given = policySources(namespace, files.map(sourceOf))
      if (!given.ok) throw new McpworksError('policy_invalid', { data: { problems: given.problems } })
      const { sources } = given
      const checked = policy.check(sources, hosted.vocabulary(namespace))
      if (!checked.ok) throw new McpworksError('policy_invalid', { data: { problems: given.placed(checked.problems) } })
      const change = { functions: hosted.functions(namespace), policies: sources }
      return asJson({ results: hosted.under(namespace, change, (decide) => testPolicies(cases, tested, decide)) })
    },
    async 'policy.explain'({ namespace, agent, tool, arguments: args }) {
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const agents =
        agent === null
          ? registry.listAgents(namespace).filter((one) => one.revokedAtMs === null)
          : [findAgent(registry, namespace, agent)]
      const tools = catalogue.list(namespace, 'tool').filter((entry) => tool === null || entry.name === tool)
      const [entry] = tools
      if (entry === undefined)
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no tool ${tool ?? ''}.` })
      const [principal] = agents
      if (args !== null && agent !== null && tool !== null && principal !== undefined) {
        const request: PolicyRequest = {
          principal,
          action: 'call',
          resource: { type: 'Tool', id: `${namespace}/${entry.name}`, namespace, service: entry.service },
          arguments: args,
          context: {
            authentication: { method: 'api-key', senderConstrained: false },
            door: 'tool',
            operation: '',
            labels: [],
            timeMs: clock.nowMs(),
            address: '127.0.0.1',
          },
        }
        return asJson(policy.explain(request))
      }
      if (args !== null)
        throw new McpworksError('invalid_request', {
          message: 'Arguments can be explained for one agent and one tool: give both.',
        })
      return {
        access: agents.flatMap((one) =>
          accessOf(
            policy,
            namespace,
            one,
            tools.map((candidate) => candidate.name),
          ),
        ),
      }
    },
  }
}

/** What cases can ask for in a namespace. */
export function testedNamespace({ catalogue, registry, clock }: PolicyHandlerPorts, name: string): TestedNamespace {
  return {
    name,
    services: new Map(catalogue.list(name, 'tool').map((entry) => [entry.name, entry.service])),
    groups: new Map(
      registry
        .listAgents(name)
        .filter((agent) => agent.revokedAtMs === null)
        .map((agent) => [agent.name, agent.groups]),
    ),
    nowMs: clock.nowMs(),
  }
}

function accessOf(
  policy: PolicyEngine,
  namespace: string,
  principal: PolicyRequest['principal'],
  tools: readonly string[],
): JsonObject[] {
  return policy
    .explainAccess(namespace, principal)
    .filter((access) => tools.includes(access.tool))
    .map((access) => ({
      principal: principal.id,
      tool: access.tool,
      access: access.access,
      policies: [...access.policyIds],
    }))
}

function findAgent(registry: IdentityRegistry, namespace: string, agent: string): PolicyRequest['principal'] {
  const found = registry.findPrincipal(`${namespace}/${agent}`)
  if (found === null || found.revokedAtMs !== null)
    throw new McpworksError('unknown_object', { message: `There is no agent ${namespace}/${agent}.` })
  return found
}

/** A file of a request as the engine takes it. */
export function sourceOf(file: { path: string; text?: string | undefined; base64?: string | undefined }): PolicySource {
  return { file: file.path, text: file.text ?? Buffer.from(file.base64 ?? '', 'base64').toString('utf8') }
}

/** A plain answer as JSON. */
export function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}
