import type { ServerResponse } from 'node:http'
import { sendJson } from '../respond.ts'

/** Bounds of an answer that is streamed. */
export interface ReplyLimits {
  readonly keepAliveMs: number
  /** Bytes waiting for a slow reader above which notifications are dropped. */
  readonly maxBacklogBytes: number
}

/**
 * The answer to one POST: a JSON body, or an event stream (`text/event-stream`) from the first message that goes out
 * before the answer. Everything is silently dropped once the client is gone.
 */
export class Reply {
  private readonly response: ServerResponse
  private readonly limits: ReplyLimits
  private readonly mayStream: boolean
  private readonly headers: Record<string, string> = {}
  private status = 200
  private keepAlive: NodeJS.Timeout | null = null
  private streaming = false
  private done = false

  /** `mayStream` is whether the client accepts an event stream; without it everything but the answer is dropped. */
  constructor(response: ServerResponse, mayStream: boolean, limits: ReplyLimits) {
    this.response = response
    this.mayStream = mayStream
    this.limits = limits
  }

  setStatus(status: number): void {
    this.status = status
  }

  setHeaders(headers: Readonly<Record<string, string>>): void {
    Object.assign(this.headers, headers)
  }

  setHeader(name: string, value: string): void {
    this.headers[name] = value
  }

  /** The answer was given, or the request needs none any more. */
  get isDone(): boolean {
    return this.done
  }

  /** Nothing more can go out. */
  get isOver(): boolean {
    return this.done || this.response.destroyed
  }

  /** Opens the event stream, where that has not happened and the client takes one. */
  stream(): boolean {
    if (this.streaming) return true
    if (!this.mayStream || this.isOver || this.response.headersSent) return false
    this.streaming = true
    this.response.writeHead(200, {
      ...this.headers,
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store, no-transform',
      'X-Content-Type-Options': 'nosniff',
      'X-Accel-Buffering': 'no',
    })
    this.response.flushHeaders()
    this.keepAlive = setInterval(() => this.response.write(': keep-alive\n\n'), this.limits.keepAliveMs)
    this.keepAlive.unref()
    this.response.once('close', () => this.stopKeepAlive())
    return true
  }

  /** Sends a message ahead of the answer. Notifications give way to a slow reader; `required` messages do not. */
  send(message: unknown, required: boolean): boolean {
    if (this.isOver || !this.stream()) return false
    if (!required && this.response.writableLength > this.limits.maxBacklogBytes) return false
    this.response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
    return true
  }

  /** Sends the answer and ends. Only the first call counts. */
  finish(message: unknown): void {
    if (this.isOver) return
    this.done = true
    this.stopKeepAlive()
    if (this.streaming) this.response.end(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
    else sendJson(this.response, this.status, message, this.headers)
  }

  /** Ends without an answer: the client asked for none any more. */
  end(): void {
    if (this.isOver) return
    this.done = true
    this.stopKeepAlive()
    if (!this.streaming) this.response.writeHead(202, this.headers)
    this.response.end()
  }

  private stopKeepAlive(): void {
    if (this.keepAlive !== null) clearInterval(this.keepAlive)
    this.keepAlive = null
  }
}
