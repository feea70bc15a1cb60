export default function answer(): number { // expect: import(no-default-export) unicorn(filename-case)
  return 1
}

/* expect: eslint(no-warning-comments) */ // TODO make it two
