// What the page under test and the browser have in common.
export const ADMIN_TOKEN = 'the-token-of-the-browser-lane';
