// How often a test repeats what is there to be caught at random: few times in each run of the
// tests, many with RINGPOLL_TEST_LONG=1.
export function rounds(few: number, many: number): number {
  return process.env.RINGPOLL_TEST_LONG === undefined ? few : many;
}
