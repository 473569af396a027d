// The same for `node --require ringpoll/register`.
import register = require('./index.js');

export = register;
