// CPU time of a server, per message.
//
// The load generator reads the server's process CPU clock (clock_getcpuclockid) at the two moments
// that begin and end its measured phase. That clock has nanoseconds and covers every thread, and it
// is there where /proc/PID/schedstat is compiled out; the 10 ms ticks of /proc/PID/stat would need
// long windows. Only the split into user and system comes from /proc/PID/stat: the kernel estimates
// it from samples at its timer ticks, so it is added up over all rounds before it is used.

/** From the `server_cpu` of a load report: microseconds per message, and the share of one core. */
export function cpuPerMessage(serverCpu, messages, seconds) {
  return {
    cpuUs: serverCpu.total_ns / 1000 / messages,
    cpuShare: serverCpu.total_ns / 1e9 / seconds,
    userTicks: serverCpu.user_ticks,
    systemTicks: serverCpu.system_ticks,
  };
}

/** Splits a CPU time by the ticks of several trials. */
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
