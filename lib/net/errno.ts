// Error numbers as libuv answers them.
import { constants } from 'node:os';

const { errno } = constants;

export const UV = {
  EINVAL: -errno.EINVAL,
  EBADF: -errno.EBADF,
  ENOTCONN: -errno.ENOTCONN,
  ECANCELED: -errno.ECANCELED,
  EADDRINUSE: -errno.EADDRINUSE,
  EACCES: -errno.EACCES,
  EPIPE: -errno.EPIPE,
  EAGAIN: -errno.EAGAIN,
  ENOBUFS: -errno.ENOBUFS,
} as const;
