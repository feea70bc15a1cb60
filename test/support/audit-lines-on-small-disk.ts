// Fills a real file system of 1 MiB with lines until they are refused, makes room, and says as JSON what happened.
// Runs in a mount namespace of its own, where it may mount. Argument: an empty directory to mount on.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LineFile } from '../../src/exporters/index.ts'

const [mountPoint = ''] = process.argv.slice(2)
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', mountPoint])
const ballast = join(mountPoint, 'ballast')
writeFileSync(ballast, Buffer.alloc(512 * 1024))
const path = join(mountPoint, 'log.jsonl')
const idOf = (line: string): string => (JSON.parse(line) as { id: string }).id
const options = { path, maxBytes: 2 ** 30, files: 1, idOf }
let file = new LineFile(options)
const batch = (number: number) =>
  Array.from({ length: 20 }, (_, at) => {
    const id = `${number}-${at}`
    return { id, text: JSON.stringify({ id, filling: 'x'.repeat(1000) }) }
  })

let number = 0
let delivery = await file.take(batch(number))
while (delivery.status === 'taken') delivery = await file.take(batch((number += 1)))
const [whileFull, again] = [delivery, await file.take(batch(number))]
// As if the server had been killed while there was no room.
file = new LineFile(options)
rmSync(ballast)
const withRoom = await file.take(batch(number))
const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1).map(idOf)
const expected = Array.from({ length: number + 1 }, (_, at) => batch(at).map(({ id }) => id)).flat()
process.stdout.write(
  JSON.stringify({
    number,
    whileFull,
    again,
    withRoom,
    same: JSON.stringify(lines) === JSON.stringify(expected),
  }),
)
