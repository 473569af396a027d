// node:dgram on this package's loop.
import nodeDgram from 'node:dgram';
import { oneFace } from './active.js';

export { type Installed, installDgram, uninstallDgram } from './install.js';

const { face } = oneFace.tried;

type NodeDgram = typeof nodeDgram;

/** As dgram.Socket. It is served by this package. */
export const Socket: NodeDgram['Socket'] = face?.Socket ?? nodeDgram.Socket;
/** As dgram.createSocket. */
export const createSocket: NodeDgram['createSocket'] = face?.createSocket ?? nodeDgram.createSocket;

/** Whether sockets are served by this package; else they are Node's own. */
export const active: boolean = face !== undefined;

export default { ...nodeDgram, Socket, createSocket } as NodeDgram;
