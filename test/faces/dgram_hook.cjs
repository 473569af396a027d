// For `node --require`: sockets of node:dgram are served by this package.
const { installDgram } = require('../../dist/dgram/index.js');

const { active, reason } = installDgram();
if (!active) throw new Error(`ringpoll/dgram is not active: ${reason}`);
