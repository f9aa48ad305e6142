/** Header of requests and answers. */
export const REQUEST_ID = 'x-request-id';
