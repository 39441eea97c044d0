/** Plain data that survives a round trip through JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
