/** Maximum operations in one report. */
export const REPORT_OPS_MAX = 400;
/** Maximum rooms in one request for counts. */
export const COUNTS_ROOMS_MAX = 200;
/** Maximum size of a request body. A full report with the longest names takes about 400 KB. */
export const REQUEST_BYTES_MAX = 512 * 1024;
