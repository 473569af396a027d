// The sizes of the kernel's buffers, as libuv's handles answer them.
import { getSystemErrorName } from 'node:util';
import type { NativeLoop } from '../runtime/native.js';
import { UdpOption } from '../udp/kernel_options.js';

const EBADF = -9;
const EINVAL = -22;
const SIZE_MAX = 2 ** 31 - 1;

/** Node makes its error of these. */
export interface SizeError {
  errno?: number;
  code?: string;
  message?: string;
  syscall?: string;
}

const MESSAGES: Record<string, string> = {
  EBADF: 'bad file descriptor',
  EINVAL: 'invalid argument',
  ENOBUFS: 'no buffer space available',
};

/** `generation` undefined: the socket is not open. */
export function bufferSize(
  native: NativeLoop,
  slot: number,
  generation: number | undefined,
  size: number,
  receives: boolean,
  context: SizeError,
): number | undefined {
  const option = receives ? UdpOption.receiveBuffer : UdpOption.sendBuffer;
  let result = EBADF;
  if (size > SIZE_MAX) {
    result = EINVAL;
  } else if (generation !== undefined) {
    result = size === 0 ? 0 : native.udpSetOption(slot, generation, option, size);
    if (result === 0) result = native.udpOption(slot, generation, option);
  }
  if (result >= 0) return result;
  const code = getSystemErrorName(result);
  context.errno = result;
  context.code = code;
  context.message = MESSAGES[code] ?? code;
  context.syscall = receives ? 'uv_recv_buffer_size' : 'uv_send_buffer_size';
  return undefined;
}
