// What HTTP and WebSocket call a token: names of fields, subprotocols and extensions.

/** A token of RFC 9110, section 5.6.2. */
export const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
