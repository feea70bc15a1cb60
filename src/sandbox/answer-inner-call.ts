import { innerCallBounds } from './protocol/runner-messages.ts'
import type { InnerAnswer, InnerCall, SandboxEvents } from './sandbox.ts'

/** The answer of the handler, bounded. A handler that breaks is told to the code as that, and to nobody as an answer. */
export async function answerInnerCall({ onCall }: SandboxEvents, call: InnerCall): Promise<InnerAnswer> {
  if (onCall === undefined) return { ok: false, code: 'calls_refused', message: 'This function may not call tools.' }
  let answer: InnerAnswer
  try {
    answer = await onCall(call)
  } catch {
    return { ok: false, code: 'internal', message: 'The call failed for a reason that is not known here.' }
  }
  if (!answer.ok || Buffer.byteLength(answer.resultJson) <= innerCallBounds.resultBytes) return answer
  const message = `The result has more than ${String(innerCallBounds.resultBytes)} bytes of JSON.`
  return { ok: false, code: 'result_too_large', message }
}
