import { checkBoundaries } from './lint/boundaries.ts'

const result = await checkBoundaries(process.cwd())
for (const problem of result.problems) console.log(problem)
console.log(`${result.problems.length} problems in ${result.modules} modules with ${result.imports} imports`)
if (result.problems.length > 0) process.exitCode = 1
