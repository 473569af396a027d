// The one face of the process for node:net.
import { OneFace } from '../runtime/node_face.js';
import { Face } from './face.js';

export const oneFace: OneFace<Face> = new OneFace('net', () => new Face());
