#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { become, findEntry, findNode } from './launch.mjs'

const node = findNode()
const entry = findEntry()
if (node === null) {
  process.stderr.write('mcpworks needs Node 24. In a checkout, `npm ci` fetches it (Linux, x64 or arm64).\n')
  process.exitCode = 1
} else if (!existsSync(entry)) {
  process.stderr.write('mcpworks is not built. In a checkout, type: npm run build\n')
  process.exitCode = 1
} else {
  become(node, [entry, ...process.argv.slice(2)])
}
