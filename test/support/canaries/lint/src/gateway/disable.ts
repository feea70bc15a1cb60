export function print(): void {
  /* expect: mcpworks(disable-needs-reason) */ // oxlint-disable-next-line no-console
  console.log('x')
  // oxlint-disable-next-line no-console -- the line is the answer that a person waits for
  console.log('y')
}
