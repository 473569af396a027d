// Forms of tokens.

/** Of RFC 9110, section 5.6.2: names of fields, subprotocols and extensions. */
export const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** What clients of admin() show. */
export const ADMIN_TOKEN = /^[\w.~+/=-]{16,256}$/;
/** The same in words. */
export const ADMIN_TOKEN_FORM = '16 to 256 letters, digits and -._~+/=';
