import { parentPort } from 'node:worker_threads'
import { createCedarPolicyEngine, type PolicyRequest } from '../../policy/index.ts'
import { comparedDecision, compareDecisions, groundOf } from '../replay/compare-decisions.ts'
import { hiddenGround, visibleGround } from '../replay/difference-groups.ts'
import type {
  AskedCall,
  HiddenCall,
  ShadowDifference,
  ShadowMessage,
  ShadowRequest,
  ShadowVerdict,
} from './shadow-protocol.ts'

/** Longest name of what was called in a verdict, in UTF-16 units. */
const maxTargetLength = 200

/** An engine of its own in a thread of its own: whatever these policies do to it, it is not the one that decides. */
const engine = createCedarPolicyEngine()

parentPort?.on('message', (message: ShadowRequest) => {
  switch (message.kind) {
    case 'install': {
      const { ok } = engine.install(message.sources, message.vocabulary, 'deny-affected')
      if (!ok) giveUp(message.vocabulary.namespace)
      return
    }
    case 'remove':
      engine.remove(message.namespace)
      return
    case 'decide':
      decideAll(message.calls)
      return
    case 'sync':
      post({ kind: 'synced', ticket: message.ticket })
      return
    case 'end':
      parentPort?.close()
  }
})

function decideAll(calls: readonly string[]): void {
  const verdicts: ShadowVerdict[] = []
  for (const text of calls) {
    const asked = JSON.parse(text) as AskedCall | HiddenCall
    const { namespace } = 'hidden' in asked ? asked.hidden.resource : asked.request.resource
    const difference = 'hidden' in asked ? look(asked) : decide(asked)
    if (difference === 'broken') {
      giveUp(namespace)
      return
    }
    const policySetHash = engine.policySetHash(namespace)
    if (policySetHash !== null) verdicts.push({ namespace, policySetHash, call: asked.call, difference })
  }
  post({ kind: 'decided', count: calls.length, verdicts })
}

function decide({ call, request, inForce }: AskedCall): ShadowDifference | 'broken' | null {
  const decided = engine.decide(request)
  if (decided.basis === 'error' && !engine.isWorking()) return 'broken'
  const after = comparedDecision(decided)
  const kind = compareDecisions(inForce, after)
  if (kind === null) return null
  const time = new Date(request.context.timeMs).toISOString()
  const example = { call, time, principal: request.principal.id, target: targetOf(request, request.context.operation) }
  return { kind, ...example, before: groundOf(inForce), after: groundOf(after) }
}

function look({ call, hidden, timeMs }: HiddenCall): ShadowDifference | null {
  if (!engine.isVisible(hidden)) return null
  const time = new Date(timeMs).toISOString()
  const example = { call, time, principal: hidden.principal.id, target: targetOf(hidden, '') }
  return { kind: 'newlyVisible', ...example, before: hiddenGround, after: visibleGround }
}

function targetOf({ resource }: Pick<PolicyRequest, 'resource'>, operation: string): string {
  const name = operation === '' ? resource.id.slice(resource.namespace.length + 1) : operation
  return name.length <= maxTargetLength ? name : `${name.slice(0, maxTargetLength).toWellFormed()}...`
}

/** Cedar's module cannot be mended: the thread ends, and another is begun for the other namespaces. */
function giveUp(namespace: string): void {
  post({ kind: 'broken', namespace })
  parentPort?.close()
}

function post(message: ShadowMessage): void {
  parentPort?.postMessage(message)
}
