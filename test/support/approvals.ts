import { isJsonObject, type Caller, type JsonObject } from '../../src/kernel/index.ts'
import type { GatewayAnswer } from '../../src/gateway/index.ts'
import type { TestApp } from './running-app.ts'

/** What a refused `tools/call` says of asking a person; `null` where it says nothing. */
export function noticeOf(message: JsonObject): { id: string; status: string; text: string } | null {
  const result = isJsonObject(message.result) ? message.result : {}
  const meta = isJsonObject(result._meta) ? result._meta : {}
  const notice = meta['mcpworks/approval']
  if (!isJsonObject(notice)) return null
  return { id: String(notice.id), status: String(notice.status), text: JSON.stringify(result.content) }
}

type Asked = 'approval.show' | 'approval.approve' | 'approval.deny'

interface Request {
  readonly namespace: string
  readonly approval: string
  readonly comment?: string
}

/** Looks at a request, or decides on it, as a caller, through the pipeline. */
export function decideAs(
  { app }: TestApp,
  caller: Caller,
  operation: Asked,
  { namespace, approval, comment }: Request,
): Promise<GatewayAnswer> {
  const said = operation === 'approval.show' ? {} : { comment: comment ?? '' }
  return app.gateway.perform(
    {
      caller,
      namespace,
      door: 'management',
      effect: { kind: 'approve', operation, arguments: { namespace, approval, ...said } },
      facts: { method: operation, protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
}

/** The same as the operator; rejects where that is refused. */
export async function decideAsOperator(test: TestApp, operation: Asked, request: Request): Promise<JsonObject> {
  const answer = await decideAs(test, test.app.operator, operation, request)
  if (answer.status !== 'ok') throw new Error(JSON.stringify(answer))
  return answer.result.approval as JsonObject
}
