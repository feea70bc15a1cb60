import { exec, execFile, spawn } from 'node:child_process' // expect: mcpworks(no-shell)
import * as processes from 'node:child_process' // expect: mcpworks(no-shell)

export function start(name: string): unknown[] {
  const spawnOptions = { shell: true } // expect: mcpworks(no-shell)
  return [
    exec,
    processes.spawn('ls', ['-l'], spawnOptions),
    spawn('ls', ['-l'], { shell: '/bin/dash' }), // expect: mcpworks(no-shell)
    spawn('/bin/sh', ['-c', name]), // expect: mcpworks(no-shell)
    execFile(`ls ${name}`), // expect: mcpworks(no-shell)
    spawn('ls -l ' + name), // expect: mcpworks(no-shell)
    spawn('ls', ['-l', name], { shell: false }),
    /x/.exec(name),
  ]
}
