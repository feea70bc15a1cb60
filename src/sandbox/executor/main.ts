import { Socket } from 'node:net'
import { serve } from './serve.ts'

/** The descriptor that the server hands to its executor. */
const connectionDescriptor = 3

// Ctrl-C and a stop of the whole group reach the server, which then ends the connection; that is what ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

await serve(new Socket({ fd: connectionDescriptor, readable: true, writable: true }))
