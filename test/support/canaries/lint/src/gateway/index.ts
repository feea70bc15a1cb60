export * from './print.ts' // expect: mcpworks(no-export-all)
export { count } from './state.ts'
