/** Whether a host is this machine. The host must be in lower case, and IPv6 without brackets. */
export const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host);

/** Formats a host for a URL: IPv6 gets brackets. */
export const urlHost = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** Removes the brackets of an IPv6 host in a URL. */
export const bareHost = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");
