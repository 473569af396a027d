// For `node --require`: sockets of node:net are served by this package.
const { installNet } = require('../../dist/net/index.js');

const { active, reason } = installNet();
if (!active) throw new Error(`ringpoll/net is not active: ${reason}`);
