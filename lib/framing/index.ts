// ringpoll/framing: messages out of a stream of bytes.
export { type FrameOptions, FrameReader, frames, writeFrame } from './frames.js';
export { type LineOptions, LineReader, lines } from './lines.js';
