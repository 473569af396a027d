// What a listener has seen of TLS, as its user reads it.
import type { NativeTlsCounts } from '../runtime/native_tls_sessions.js';
import { alertName } from './alerts.js';

/** Counts since the listener began, but for `connections`. */
export interface TlsMetrics {
  /** Open now, those in their handshake included. */
  connections: number;
  /** Handshakes that were completed, by version; 'older' where `minVersion` allows such. */
  handshakes: { 'TLSv1.3': number; 'TLSv1.2': number; older: number };
  /** Of the completed: with certificates and a signature. */
  full: number;
  /** Of the completed: an earlier session went on. */
  resumed: number;
  /** `resumed` of all that were completed, 0 to 1; 0 when there were none. */
  reuseRatio: number;
  /** Handshakes that were not completed. */
  failures: number;
  /** Connections that ended without close_notify. */
  truncated: number;
  /** Handshakes that waited for a later turn of the loop, since others were under way. */
  deferred: number;
  /** Alerts that ended a connection, in the words of RFC 8446, such as 'unknown_ca'. */
  alertsSent: Record<string, number>;
  alertsReceived: Record<string, number>;
}

function byName(alerts: readonly number[]): Record<string, number> {
  const named: Record<string, number> = {};
  for (let i = 0; i < alerts.length; i += 2) named[alertName(alerts[i]) ?? ''] = alerts[i + 1];
  return named;
}

export function tlsMetrics(counts: NativeTlsCounts): TlsMetrics {
  const { handshakes, handshakes12, handshakes13, resumed } = counts;
  const { connections, failures, truncated, deferred } = counts;
  return {
    connections,
    handshakes: {
      'TLSv1.3': handshakes13,
      'TLSv1.2': handshakes12,
      older: handshakes - handshakes13 - handshakes12,
    },
    full: handshakes - resumed,
    resumed,
    reuseRatio: handshakes === 0 ? 0 : resumed / handshakes,
    ...{ failures, truncated, deferred },
    alertsSent: byName(counts.alertsSent),
    alertsReceived: byName(counts.alertsReceived),
  };
}
