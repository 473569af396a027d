// CPU time of a server, per message.
//
// The load generator reads the server's process CPU clock (clock_getcpuclockid) at the two moments
// that begin and end its measured phase. That clock has nanoseconds and covers every thread, and it
// is there where /proc/PID/schedstat is compiled out; the 10 ms ticks of /proc/PID/stat would need
// long windows. The split into user and system is sampled, and so it is added up over all rounds
// before it is used: by the load generator (bench/load/split.c), 4000 times per second of CPU, or
// where that is not allowed by the kernel at its timer ticks.

/**
 * From the `server_cpu` and `split` of a load report: microseconds per message, the share of one
 * core, and the samples.
 */
export function cpuPerMessage(serverCpu, messages, seconds, split = { user: 0, system: 0 }) {
  const sampled = split.user + split.system > 0;
  return {
    cpuUs: serverCpu.total_ns / 1000 / messages,
    cpuShare: serverCpu.total_ns / 1e9 / seconds,
    userTicks: sampled ? split.user : serverCpu.user_ticks,
    systemTicks: sampled ? split.system : serverCpu.system_ticks,
  };
}

/** Splits a CPU time by the samples of several trials. */
export function splitUserSystem(cpuUs, trials) {
  let user = 0;
  let system = 0;
  for (const trial of trials) {
    user += trial.userTicks;
    system += trial.systemTicks;
  }
  const ticks = user + system;
  if (ticks === 0) return { userUs: undefined, systemUs: undefined, ticks };
  return { userUs: (cpuUs * user) / ticks, systemUs: (cpuUs * system) / ticks, ticks };
}
