import { textOutcome, toolEntry } from './echo-entries.ts'
import { startTestApp } from './running-app.ts'

// A server in a process of its own, to be killed: a tool that may be called twenty times a day, and brings a label
// into the run.
// Prints its URL and an agent's key as one line of JSON.
const dataDirectory = process.argv[2] ?? ''
const { app, apply, key } = await startTestApp({
  dataDirectory,
  entries: [{ ...toolEntry('limited', async () => textOutcome('done')), labels: ['seen'] }],
})
await apply('demo', {
  'namespace.yaml': 'namespace: demo\nagents: [{name: one}]\n',
  'policies/limits.cedar': `
    permit (principal, action == Action::"call", resource in Namespace::"demo");
    forbid (principal, action == Action::"call", resource == Tool::"demo/limited")
    when { context.usage.agent.calls_day >= 20 };`,
})
console.log(JSON.stringify({ url: app.url, key: await key('demo', 'one') }))
