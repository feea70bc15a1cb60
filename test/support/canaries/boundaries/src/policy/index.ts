export { decide, type Decision } from './decide.ts'
