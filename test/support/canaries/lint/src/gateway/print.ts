export function print(): void {
  console.log('x') // expect: eslint(no-console)
}
