export { digest } from './digest.ts'
export { read } from './read.ts'
export { first } from './first.ts'
