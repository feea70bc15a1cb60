import type { IdentityEvents, IdentityRegistry } from '../../auth/index.ts'
import {
  type BuildFunctions,
  parseDesiredState,
  type FunctionVersion,
  type ParsedState,
} from '../../functions/index.ts'
import { McpworksError, toolName, type Clock, type Digest, type JsonObject } from '../../kernel/index.ts'
import type { PolicyEngine, PolicyProblem, PolicyStore } from '../../policy/index.ts'
import type { HostedState } from '../hosted-state.ts'
import type { Namespaces } from '../namespaces.ts'
import { applyAgents, checkAgents, compareAgents, operationsOn } from './apply-agents.ts'
import type { Handlers } from './handler.ts'
import { knownAgents } from './known-agents.ts'
import { policySources } from './policy-sources.ts'
import { refuseLockout } from './refuse-lockout.ts'
import { requireMayChangeAgents } from './require-may-change-agents.ts'

/** What applying stands on. */
export interface ApplyPorts {
  readonly registry: IdentityRegistry
  readonly hosted: HostedState
  readonly namespaces: Namespaces
  readonly policy: PolicyEngine
  readonly policyStore: PolicyStore
  readonly build: BuildFunctions
  readonly events: Pick<IdentityEvents, 'record'>
  readonly clock: Clock
}

/** One difference between what is and what the directory says. */
interface Change extends JsonObject {
  change: 'add' | 'change' | 'remove'
  kind: 'namespace' | 'agent' | 'function' | 'policy'
  name: string
  detail: string
}

/**
 * Makes a namespace be what a directory says. Everything is parsed, built and validated before the first change.
 * Functions and policies that the directory no longer has go; agents stay, because revoking one cannot be undone:
 * `agent revoke` does that.
 */
export function applyHandler(ports: ApplyPorts): Handlers['state.apply'] {
  return async ({ namespace, files, dryRun, comment, base }, invocation) => {
    const parsed = parseDesiredState({ files: files.map(withoutUndefined) })
    if (!parsed.ok)
      throw invalid('function_invalid', 'The directory has mistakes; nothing was changed.', parsed.problems)
    const { state } = parsed
    if (state.namespace !== namespace) {
      throw new McpworksError('invalid_request', {
        message: `namespace.yaml says ${state.namespace}, but the request is about ${namespace}.`,
      })
    }
    checkAgents(state, ports.registry)
    requireMayChangeAgents(operationsOn(state, ports.registry), invocation, ports)
    const by = invocation.caller.principal.id
    const built = await ports.build(
      state.services.flatMap((service) => service.functions),
      by,
    )
    if (!built.ok)
      throw invalid('function_invalid', 'The functions have mistakes; nothing was changed.', built.problems)

    const given = policySources(namespace, state.policies)
    if (!given.ok)
      throw invalid(
        'policy_invalid',
        'The policies have mistakes; nothing was changed.',
        given.problems.map(inPolicies),
      )
    const policies = given.sources
    const checked = ports.policy.check(policies, {
      ...ports.hosted.vocabulary(namespace, built.versions),
      ...knownAgents(ports.registry, namespace, state.agents),
    })
    if (!checked.ok)
      throw invalid(
        'policy_invalid',
        'The policies have mistakes; nothing was changed.',
        given.placed(checked.problems).map(inPolicies),
      )
    refuseLockout({ functions: built.versions, policies }, invocation, ports)

    const inForce = ports.policy.policySetHash(namespace)
    if (base !== null && base !== inForce) await refuseOutdated(namespace, base, ports)
    const changes = compare({ ...state, policies }, built.versions, ports)
    if (!dryRun && changes.length > 0) {
      await ports.namespaces.ensure(namespace, by)
      await applyAgents(state, invocation, ports)
      await ports.hosted.replace(namespace, {
        functions: built.versions,
        policies,
        by,
        comment,
      })
    }
    return {
      changes,
      applied: !dryRun,
      policySetHash: checked.policySetHash,
      replaces: inForce,
      warnings: given.placed(checked.problems).map((problem) => ({ ...inPolicies(problem) })),
    }
  }
}

/** A directory that was made from policies which are not in force any more would undo what another author did since. */
async function refuseOutdated(namespace: string, base: Digest, { policyStore }: ApplyPorts): Promise<never> {
  const [newest] = await policyStore.listActivations(namespace)
  const since =
    newest === undefined
      ? 'No policies are in force.'
      : `${newest.activatedBy} put ${newest.policySetHash} in force at ${new Date(newest.activatedAtMs).toISOString()}${newest.comment === '' ? '' : `: ${newest.comment}`}.`
  throw new McpworksError('changed_meanwhile', {
    message: `${base} is not in force in ${namespace}. ${since} See "mcpworks policy show", bring both together, and apply again; nothing was changed.`,
  })
}

function compare(
  state: ParsedState,
  versions: readonly FunctionVersion[],
  { registry, hosted, namespaces }: ApplyPorts,
): Change[] {
  const { namespace } = state
  const changes: Change[] = namespaces.has(namespace)
    ? []
    : [{ change: 'add', kind: 'namespace', name: namespace, detail: '' }]
  for (const { change, agent, detail } of compareAgents(state, registry))
    changes.push({ change, kind: 'agent', name: agent, detail })
  const active = new Map(
    hosted.functions(namespace).map((version) => [toolName(version.service, version.name), version.versionHash]),
  )
  for (const version of versions) {
    const name = toolName(version.service, version.name)
    const known = active.get(name)
    active.delete(name)
    if (known === version.versionHash) continue
    changes.push({
      change: known === undefined ? 'add' : 'change',
      kind: 'function',
      name,
      detail: version.versionHash.slice(0, 19),
    })
  }
  for (const name of active.keys()) changes.push({ change: 'remove', kind: 'function', name, detail: '' })
  const before = new Map(hosted.policySources(namespace).map(({ file, text }) => [file, text]))
  for (const { file, text } of state.policies) {
    const known = before.get(file)
    before.delete(file)
    if (known !== text)
      changes.push({ change: known === undefined ? 'add' : 'change', kind: 'policy', name: file, detail: '' })
  }
  for (const file of before.keys()) changes.push({ change: 'remove', kind: 'policy', name: file, detail: '' })
  return changes
}

function inPolicies(problem: PolicyProblem): PolicyProblem {
  return { ...problem, file: `policies/${problem.file}` }
}

function invalid(
  code: 'function_invalid' | 'policy_invalid',
  message: string,
  problems: readonly object[],
): McpworksError {
  return new McpworksError(code, { message, data: { problems } })
}

function withoutUndefined(file: { path: string; text?: string | undefined; base64?: string | undefined }): JsonObject {
  return {
    path: file.path,
    ...(file.text === undefined ? {} : { text: file.text }),
    ...(file.base64 === undefined ? {} : { base64: file.base64 }),
  }
}
