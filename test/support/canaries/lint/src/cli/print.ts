export function print(): void {
  console.log('x')
}
