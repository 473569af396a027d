// The one face of the process for node:dgram.
import { OneFace } from '../node_face.js';
import { Face } from './face.js';

export const oneFace: OneFace<Face> = new OneFace('dgram', () => new Face());
