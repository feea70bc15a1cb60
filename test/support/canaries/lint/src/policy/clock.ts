export function isOver(end: number): boolean {
  return Date.now() > end // expect: eslint(no-restricted-globals)
}
