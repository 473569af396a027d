// ringpoll/upstream: targets that share requests, and a proxy in front of them.
export type { Balance } from './balance.js';
export { Canary, type CanaryOptions, type CanaryReport } from './canary.js';
export type { CanaryStep, Seen as CanarySeen } from './canary_policy.js';
export type { Difference, Shown } from './comparison.js';
export {
  type Discovery,
  type DiscoveryEvents,
  type DnsOptions,
  type DnsResolver,
  dnsDiscovery,
  fileDiscovery,
  type TargetSpec,
} from './discovery.js';
export type { ForwardedStyle } from './forwarded.js';
export type { HealthOptions, OutlierOptions, UpstreamOptions } from './options.js';
export { proxy } from './proxy.js';
export type { MirrorOptions, ProxyOptions, RetryOptions } from './proxy_options.js';
export { type TargetReport, Upstream } from './upstream.js';
