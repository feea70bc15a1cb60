export async function call(): Promise<number> {
  const answer = await fetch('http://127.0.0.1/') // expect: eslint(no-restricted-globals)
  return answer.status
}
