/** A self-signed certificate for localhost and its key. It protects nothing: it is for tests, and its key is public. */
export const localhostCertificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUbHJPoF79foVXRabp0fwwVo3dfRYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE0MzQxMloYDzIxMjYxMDI5
MTQzNDEyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQdprVBwLaz5uRsxGc84WN/0ozeXyA/pzVDV4newSQNddNchkm756tm
iAs/teJEc1fdpmH/PN6kDjkAa/2rFlGJo28wbTAdBgNVHQ4EFgQUauPoIKwEHMxF
AiBnvxE4t2XmotowHwYDVR0jBBgwFoAUauPoIKwEHMxFAiBnvxE4t2XmotowDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgLm+D62HAYSo+cX6mEFZFSQOczTV+CuZO2lBZfAbMJj8CIQCA
bpHk6+75vFDmlCWCSUlVYgrPvAs5qW8NHEpwP8qbGQ==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgd5o2+tl0sGAx3oa7
Hu98U8fM9BUo8f5tfRyAcEUM+p2hRANCAAQdprVBwLaz5uRsxGc84WN/0ozeXyA/
pzVDV4newSQNddNchkm756tmiAs/teJEc1fdpmH/PN6kDjkAa/2rFlGJ
-----END PRIVATE KEY-----`,
};
