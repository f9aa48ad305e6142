/** Version of the agent, as in package.json (a test compares them): reading a file at each start costs time. */
export const VERSION = '0.1.0';
