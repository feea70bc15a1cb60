export const stray = 1 // expect: known-folder
