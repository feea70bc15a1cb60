/** What a server under load tells the driver. */
export type ServerMessage =
  | { readonly type: 'ready'; readonly url: string; readonly headers: Record<string, string> }
  | { readonly type: 'usage'; readonly cpuMs: number; readonly rssBytes: number }

/** Tells the driver that the server is ready, answers its questions about processor time, and ends with it. */
export function serveDriver(url: string, headers: Record<string, string>, close: () => Promise<void>): void {
  const send = (message: ServerMessage): void => void process.send?.(message)
  process.on('message', (message) => {
    if (message !== 'usage') return
    const { user, system } = process.cpuUsage()
    send({ type: 'usage', cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage().rss })
  })
  process.on('disconnect', () => void close().finally(() => process.exit(0)))
  send({ type: 'ready', url, headers })
}
