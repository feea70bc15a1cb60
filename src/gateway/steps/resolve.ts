import type { ApprovalQuestion } from '../../approvals/index.ts'
import type { PolicyEngine } from '../../policy/index.ts'
import type { IdentifiedCall, Target } from '../call.ts'
import type { Catalogue, CatalogueEntry } from '../catalogue.ts'
import type { Effect } from '../effect.ts'

/**
 * Finds the pinned definition that the request is about, and whether the caller may know of it.
 * A name that does not exist and one that policy hides come out alike: `visible` is false.
 */
export function resolve(
  call: IdentifiedCall,
  catalogue: Catalogue,
  policy: PolicyEngine,
  question: ApprovalQuestion | null = null,
): Target {
  const { effect, namespace } = call
  if (effect.kind === 'approve') return deciding(namespace, question)
  if (effect.kind === 'manage' || effect.kind === 'audit') {
    return {
      entry: null,
      visible: true,
      action: effect.kind,
      resource: { type: 'Namespace', id: namespace, namespace, service: null },
    }
  }
  const { action, type, name, entry } = look(effect, namespace, catalogue)
  const resource = { type, id: `${namespace}/${name}`, namespace, service: entry?.service ?? null }
  const visible = entry !== null && policy.isVisible({ principal: call.caller.principal, action, resource })
  return { entry, visible, action, resource }
}

/**
 * The call that waits is asked about as its tool, whether that is still there or not. Where there is no such request, the
 * question is about the namespace: whoever may decide nothing learns nothing of what there is.
 */
function deciding(namespace: string, question: ApprovalQuestion | null): Target {
  const base = { entry: null, visible: true, action: 'approve' } as const
  if (question === null) return { ...base, resource: { type: 'Namespace', id: namespace, namespace, service: null } }
  const { tool, service } = question
  return { ...base, question, resource: { type: 'Tool', id: `${namespace}/${tool}`, namespace, service } }
}

type Look = {
  readonly action: 'call' | 'read' | 'prompt'
  readonly type: 'Tool' | 'Resource' | 'Prompt'
  readonly name: string
  readonly entry: CatalogueEntry | null
}

function look(
  effect: Exclude<Effect, { kind: 'manage' | 'approve' | 'audit' }>,
  namespace: string,
  catalogue: Catalogue,
): Look {
  switch (effect.kind) {
    case 'call':
      return {
        action: 'call',
        type: 'Tool',
        name: effect.tool,
        entry: catalogue.resolve(namespace, 'tool', effect.tool),
      }
    case 'prompt':
      return {
        action: 'prompt',
        type: 'Prompt',
        name: effect.name,
        entry: catalogue.resolve(namespace, 'prompt', effect.name),
      }
    case 'read': {
      const entry = catalogue.resolve(namespace, 'resource', effect.uri)
      // Policy speaks of what is in the catalogue, so that one rule covers every URI of a template.
      return { action: 'read', type: 'Resource', name: entry?.name ?? effect.uri, entry }
    }
    case 'complete': {
      const { ref } = effect
      if (ref.type === 'ref/prompt' && typeof ref.name === 'string') {
        return {
          action: 'prompt',
          type: 'Prompt',
          name: ref.name,
          entry: catalogue.resolve(namespace, 'prompt', ref.name),
        }
      }
      const uri = typeof ref.uri === 'string' ? ref.uri : ''
      const entry =
        catalogue.resolve(namespace, 'resource-template', uri) ?? catalogue.resolve(namespace, 'resource', uri)
      return { action: 'read', type: 'Resource', name: entry?.name ?? uri, entry }
    }
  }
}
