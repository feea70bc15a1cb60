import { setPriority } from 'node:os'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { FollowedIndex } from './followed-index.ts'
import type { SearchMessage, SearchRequest, SearchSettings } from './search-protocol.ts'

/** How often the log is looked at for new records, in milliseconds. */
const lookMs = 500
/** How long until the next attempt where the log or the index cannot be used, in milliseconds. */
const retryMs = 5_000
/** How much the thread stands back behind those that answer callers. Linux keeps this number per thread. */
const niceness = 10

if (parentPort === null) throw new Error('this file is the entry of a worker thread')
setPriority(0, niceness)
serve(parentPort, workerData as SearchSettings)

function serve(port: MessagePort, settings: SearchSettings): void {
  const search = new FollowedIndex(settings)
  let isClosed = false
  let timer: NodeJS.Timeout | null = null
  const follow = async (): Promise<void> => {
    timer = null
    const began = performance.now()
    // A search says what went wrong, and how far the index is behind.
    const pauseMs = await search.advance().then(
      // Half of a processor at most: calls come first, and what is behind is behind.
      (isBehind) => (isBehind ? performance.now() - began : lookMs),
      () => retryMs,
    )
    if (!isClosed) timer = setTimeout(() => void follow(), pauseMs)
  }
  void follow()
  const close = async (): Promise<void> => {
    isClosed = true
    if (timer !== null) clearTimeout(timer)
    await search.close()
    port.close()
  }
  port.on('message', (request: SearchRequest) => {
    if (request.kind === 'close') void close()
    else void answerOf(request, search).then((message) => port.postMessage(message))
  })
}

async function answerOf(
  { ticket, query }: Extract<SearchRequest, { kind: 'search' }>,
  search: FollowedIndex,
): Promise<SearchMessage> {
  try {
    return { kind: 'found', ticket, page: await search.search(query) }
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'unknown'
    return { kind: 'failed', ticket, code: 'storage_unavailable', detail }
  }
}
