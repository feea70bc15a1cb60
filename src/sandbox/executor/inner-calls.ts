import { encodeFrame } from '../protocol/frame.ts'
import { innerCallBounds, type AnswerMessage } from '../protocol/runner-messages.ts'
import type { InnerAnswer, SandboxEvents } from '../sandbox.ts'
import { resultJson } from './check-result-json.ts'

const maxMessage = 4000
const maxCode = 64

/** What came of a call that hosted code asked for: it is being made, it is beyond the limit, or no runner would send it. */
export type TakenCall = 'made' | 'limit' | 'garbage'

/**
 * The calls of other tools that one execution makes: bounded in number, in size, in how many are under way at once, and
 * in how many answers are held for a jail that does not read them. The second bound is twice the first, because the
 * stream tells that answers have left only when a whole batch of them has.
 */
export class InnerCalls {
  readonly #limit: number
  readonly #onCall: SandboxEvents['onCall']
  readonly #send: (frame: Uint8Array, sent: () => void) => void
  readonly #ended = new AbortController()
  #made = 0
  #unanswered = 0
  #unsent = 0
  #lastId = 0

  /** `send` calls back when the frame has left this process. */
  constructor(limit: number, onCall: SandboxEvents['onCall'], send: (frame: Uint8Array, sent: () => void) => void) {
    this.#limit = limit
    this.#onCall = onCall
    this.#send = send
  }

  take(id: number, tool: string, body: Uint8Array): TakenCall {
    const { atOnce, argumentBytes } = innerCallBounds
    if (id <= this.#lastId || body.length > argumentBytes) return 'garbage'
    if (this.#unanswered >= atOnce || this.#unanswered + this.#unsent >= 2 * atOnce) return 'garbage'
    if (this.#made >= this.#limit) return 'limit'
    this.#lastId = id
    this.#made += 1
    this.#unanswered += 1
    void this.#answerTo(tool, body).then((answer) => this.#tell(id, answer))
    return 'made'
  }

  /** The execution has ended: calls under way are called off, and nothing is answered any more. */
  end(): void {
    this.#ended.abort()
  }

  async #answerTo(tool: string, body: Uint8Array): Promise<InnerAnswer> {
    if (this.#onCall === undefined)
      return { ok: false, code: 'calls_refused', message: 'This function may not call tools.' }
    const argumentsJson = resultJson(body)
    if (argumentsJson === null)
      return { ok: false, code: 'arguments_invalid', message: 'The arguments are not JSON, or nested too deeply.' }
    try {
      return await this.#onCall({ tool, argumentsJson, signal: this.#ended.signal })
    } catch {
      return { ok: false, code: 'internal', message: 'The call failed for a reason that is not known here.' }
    }
  }

  #tell(id: number, answer: InnerAnswer): void {
    if (this.#ended.signal.aborted) return
    this.#unanswered -= 1
    this.#unsent += 1
    this.#send(frameOf(id, answer), () => (this.#unsent -= 1))
  }
}

function frameOf(id: number, answer: InnerAnswer): Buffer {
  if (answer.ok) return encodeFrame({ type: 'answer', id } satisfies AnswerMessage, Buffer.from(answer.resultJson))
  const refusal: AnswerMessage = {
    type: 'refusal',
    id,
    code: answer.code.slice(0, maxCode),
    message: answer.message.slice(0, maxMessage).toWellFormed(),
  }
  return encodeFrame(refusal)
}
