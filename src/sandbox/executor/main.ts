import { enableCompileCache, flushCompileCache } from 'node:module'
import { Socket } from 'node:net'
import { closeInherited } from './close-inherited.ts'

/** The descriptor that the server hands to its executor. */
const connectionDescriptor = 3

closeInherited(connectionDescriptor)
process.umask(0o022)

// Ctrl-C and a stop of the whole group reach the server, which then ends the connection; that is what ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

// Where the server keeps its code compiled, so does this process: else to compile is most of what its start costs.
const [, , compiled] = process.argv
if (compiled !== undefined) enableCompileCache(compiled)
const { serve } = await import('./serve.ts')
// What was compiled is written here, because this process is soon a user that may not write there.
if (compiled !== undefined) flushCompileCache()

await serve(new Socket({ fd: connectionDescriptor, readable: true, writable: true }))
