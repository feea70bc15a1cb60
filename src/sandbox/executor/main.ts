import { Socket } from 'node:net'
import { closeInherited } from './close-inherited.ts'
import { serve } from './serve.ts'

/** The descriptor that the server hands to its executor. */
const connectionDescriptor = 3

closeInherited(connectionDescriptor)
process.umask(0o022)

// Ctrl-C and a stop of the whole group reach the server, which then ends the connection; that is what ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

await serve(new Socket({ fd: connectionDescriptor, readable: true, writable: true }))
