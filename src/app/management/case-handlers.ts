import { findDecisionCases, type DecisionCasePorts } from '../stock/find-decision-cases.ts'
import type { Handlers } from './handler.ts'
import { asJson } from './policy-handlers.ts'

/** Handing out what decisions are made again from. It holds arguments of calls: policy must let whoever asks read the log. */
export function caseHandlers(ports: DecisionCasePorts): Pick<Handlers, 'audit.cases'> {
  return {
    async 'audit.cases'({ namespace, call, before, limit }) {
      const selection = call === undefined ? { before: before ?? null, limit } : { call }
      return asJson(await findDecisionCases(namespace, selection, ports))
    },
  }
}
