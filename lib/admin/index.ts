// ringpoll/admin: what a running server does, for people and for programs.
export { Histogram, type HistogramData, type HistogramSummary } from '../histogram.js';
export { Admin, admin } from './admin.js';
export type { Alarm, AlarmLimits, AlarmName } from './alarms.js';
export type { Census, ConnectionState } from './connections.js';
export type { Cause, Correlation, SlowTurn } from './correlate.js';
export {
  FlightRecorder,
  type FlightRecorderOptions,
  flightRecorder,
} from './flight_recorder.js';
export type { LayerCost, LayerCosts, LayerName } from './layer_costs.js';
export { type Layers, layers } from './layers.js';
export type { AdminOptions } from './options.js';
export type { Pause, PauseKind } from './pauses.js';
export type { RoundTripReport } from './round_trips.js';
export type { Report, RouteReport } from './sampler.js';
export { type CorrelateOptions, correlate } from './slow_turns.js';
export type { ThreadReport } from './threads.js';
