import { readFileSync, writeFileSync } from 'node:fs'
import { completeLockFile, lockFileProblems, type LockFile } from './lint/lock-file.ts'

const path = 'package-lock.json'
const lock = JSON.parse(readFileSync(path, 'utf8')) as LockFile

if (process.argv.includes('--fix')) {
  const added = completeLockFile(lock)
  if (added.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`${added.length} entries added`)
} else {
  const problems = lockFileProblems(lock)
  for (const problem of problems) console.log(problem)
  if (problems.length > 0) {
    console.log('npm ci would refuse this. Type: npm run fix')
    process.exitCode = 1
  }
}
