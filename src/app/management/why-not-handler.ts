import { McpworksError } from '../../kernel/index.ts'
import { explainRefusal, type RefusalPorts } from '../why-not/explain-refusal.ts'
import { renderWhyNot } from '../why-not/render-why-not.ts'
import type { Handlers } from './handler.ts'
import { asJson } from './policy-handlers.ts'

/** Explaining a refusal. Answers what policies say, and no arguments of any call. */
export function whyNotHandler(ports: RefusalPorts): Pick<Handlers, 'audit.why-not'> {
  return {
    async 'audit.why-not'({ namespace, call }) {
      const explained = await explainRefusal(namespace, call, ports)
      if (explained === null)
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no record of call ${call}.` })
      return { ...asJson(explained), text: renderWhyNot(explained) }
    },
  }
}
