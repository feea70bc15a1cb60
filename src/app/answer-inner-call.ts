import { returnedValue, textOf } from '../functions/index.ts'
import type { CallTool, Catalogue, GatewayAnswer } from '../gateway/index.ts'
import { isJsonObject } from '../kernel/index.ts'
import type { InnerAnswer, InnerCall } from '../sandbox/index.ts'

/**
 * Makes a call that hosted code asks for, through the pipeline, and puts the answer in the form that the code gets.
 * What the caller of the code may not know, the code is not told either: it gets the sentences that an agent would get.
 */
export async function answerInnerCall(
  { tool, argumentsJson, signal }: InnerCall,
  namespace: string,
  callTool: CallTool,
  catalogue: Catalogue,
): Promise<InnerAnswer> {
  const args: unknown = JSON.parse(argumentsJson)
  if (!isJsonObject(args)) return refusal('arguments_invalid', 'The arguments of a tool are an object.')
  const answer = await callTool(tool, args, signal)
  if (answer.status !== 'ok') return refusalOf(answer)
  if (answer.result.isError === true) return refusal('tool_error', textOf(answer.result))
  const schema = catalogue.resolve(namespace, 'tool', tool)?.outputSchema ?? null
  return { ok: true, resultJson: JSON.stringify(returnedValue(answer.result, schema)) }
}

function refusalOf(answer: Exclude<GatewayAnswer, { status: 'ok' }>): InnerAnswer {
  switch (answer.status) {
    case 'denied':
      return refusal('denied', [answer.message, answer.approval?.sentence ?? []].flat().join(' '))
    case 'unknown':
      return refusal('tool_unknown', answer.message)
    case 'invalid': {
      const problems = answer.problems.slice(0, 5).map(({ path, message }) => `${path === '' ? '/' : path}: ${message}`)
      return refusal('arguments_invalid', [answer.message, ...problems].join(' '))
    }
    case 'input-required':
      return refusal('input_required', 'The tool asks its client for something first, and a function cannot answer.')
    case 'protocol-error':
      return refusal('protocol_error', answer.message)
    case 'unavailable':
      return refusal(answer.code, answer.message)
  }
}

function refusal(code: string, message: string): InnerAnswer {
  return { ok: false, code, message }
}
