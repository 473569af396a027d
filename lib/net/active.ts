// The one face of the process for node:net.
import { OneFace } from '../node_face.js';
import { Face } from './face.js';

export const oneFace: OneFace<Face> = new OneFace('net', () => new Face());
