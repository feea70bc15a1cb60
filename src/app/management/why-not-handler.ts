import { findRemoval, removalSentence } from '../../audit/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import { explainRefusal, type RefusalPorts } from '../why-not/explain-refusal.ts'
import { renderWhyNot } from '../why-not/render-why-not.ts'
import type { Handlers } from './handler.ts'
import { asJson } from './policy-handlers.ts'

/** Explaining a refusal. Answers what policies say, and no arguments of any call. */
export function whyNotHandler(ports: RefusalPorts): Pick<Handlers, 'audit.why-not'> {
  return {
    async 'audit.why-not'({ namespace, call }) {
      const gone = await decisionWithoutText(namespace, call, ports)
      if (gone !== null) return { call, namespace, gone, text: `NOT TOLD: ${gone}\n` }
      const explained = await explainRefusal(namespace, call, ports)
      if (explained === null)
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no record of call ${call}.` })
      return { ...asJson(explained), text: renderWhyNot(explained) }
    },
  }
}

/** What became of the text of the decision, where it is gone; `null` where it is there, or never was. */
async function decisionWithoutText(
  namespace: string,
  call: string,
  { decisionLog }: Pick<RefusalPorts, 'decisionLog'>,
): Promise<string | null> {
  const [decided] = await decisionLog.read({ namespace, call, kinds: ['decision'], limit: 1, withoutText: true })
  if (decided?.json !== '') return null
  return `the text of the decision ${removalSentence(await findRemoval(decisionLog, decided, { part: 'text' }))}`
}
