// The field `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/), read as
// strictly as it is defined: what is malformed is as if it were not there.
import type { SpanContext } from './api.js';

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const FORBIDDEN_VERSION = 'ff';
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;
/** A later version may be longer; this is all that is looked at. */
const LENGTH_MAX = 512;
const HEX = 16;

/** undefined: there is none that may be used. */
export function parseTraceparent(text: string | undefined): SpanContext | undefined {
  if (text === undefined || text.length > LENGTH_MAX) return undefined;
  const [, version, traceId, spanId, flags, more] = FORM.exec(text) ?? [];
  if (version === undefined || version === FORBIDDEN_VERSION) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  // Of a later version only the flag that is known here means anything.
  return { traceId, spanId, traceFlags: Number.parseInt(flags, HEX) & SAMPLED, isRemote: true };
}

const IDS = /^[0-9a-f]{32}-[0-9a-f]{16}$/;

/** undefined: it is the context of no trace. */
export function formatTraceparent(context: SpanContext): string | undefined {
  const { traceId, spanId, traceFlags } = context;
  if (!IDS.test(`${traceId}-${spanId}`) || traceId === NO_TRACE || spanId === NO_SPAN) {
    return undefined;
  }
  return `00-${traceId}-${spanId}-${traceFlags & SAMPLED ? '01' : '00'}`;
}
